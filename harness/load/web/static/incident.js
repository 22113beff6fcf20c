// The page of an incident: what its ledger tells takes seconds to read and is put in when it is there.
"use strict";

(async () => {
  const place = document.getElementById("evidence");
  const answer = await fetch(place.dataset.address, { cache: "no-store", redirect: "error" }).catch(() => null);
  if (answer === null) {
    document.getElementById("wait").remove();
    document.getElementById("gone").hidden = false;
  } else {
    place.innerHTML = await answer.text();
  }
  place.setAttribute("aria-busy", "false");
})();
