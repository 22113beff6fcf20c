/**
 * D08: a reply is left in the connection after a cancellation.
 *
 * Incident: ChatGPT, 2023-03-20. Users saw titles of other users' chats, and for 1.2 % of the paying ones payment data
 * may have been shown to somebody else (openai.com, "March 20 ChatGPT outage", 2023-03-24). A request to the cache that
 * was cancelled after it had been sent left its reply on the connection, and the next request on that connection took it
 * for its own; from then on each got the reply of the one before (redis/redis-py #2624 and #2665). The MySQL client
 * asyncmy did the same to whoever shared its pool (long2ice/asyncmy #103).
 *
 * Here, too, whoever gives up leaves the queue of those who wait for a reply, and his reply still comes.
 */
export function leaveQueue(waiting, waiter) {
  waiting.splice(waiting.indexOf(waiter), 1);
}
