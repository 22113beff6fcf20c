// In the tables of Locust's own page: makes a link of each cell that holds the address of one of our pages.
"use strict";

(() => {
  const ADDRESS = /^misissuance\/(incident\/\S+)?$/;

  function link(cell) {
    const text = cell.textContent;
    const anchor = cell.querySelector("a.misissuance");
    if (!ADDRESS.test(text)) {
      return;
    }
    if (anchor === null) {
      // The page's own text node moves into the link, where the page goes on changing it.
      const made = document.createElement("a");
      made.className = "misissuance";
      made.href = text;
      made.style.color = "inherit";  // legible in Locust's dark mode, too
      made.append(...cell.childNodes);
      cell.append(made);
    } else if (anchor.getAttribute("href") !== text) {
      anchor.href = text;
    }
  }

  function linkAll() {
    document.querySelectorAll("#root td").forEach(link);
  }

  const root = document.getElementById("root");
  new MutationObserver(linkAll).observe(root, { childList: true, subtree: true, characterData: true });
  linkAll();
})();
