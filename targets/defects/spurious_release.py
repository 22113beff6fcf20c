"""D02: a third party releases the wait.

Incident: Adachi ward, Tokyo, errors on 2023-01-17, 03-22 and 04-18, two certificates handed to the wrong people. The
maker's release of 2023-05-01 says that the synchronisation released the print wait by mistake, so that one print image
overwrote another.

The sync run ends the waits that it holds by one statement. Here the statement lacks the condition that says whose.
"""

RELEASE = "UPDATE print_wait SET released = true WHERE NOT released"
