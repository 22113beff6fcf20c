// The live overview: asks for the snapshot every second and shows what has changed.
"use strict";

(() => {
  const PERIOD_MS = 1000;
  const PATIENCE_MS = 5000;
  const TABLE_ROWS = 12;
  const FEW_INCIDENTS = 25;
  const page = JSON.parse(document.getElementById("page").textContent);
  const shown = new Map();
  const byId = (id) => document.getElementById(id);

  function text(name, values = {}) {
    return page.texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
  }

  const number = (value) => value.toLocaleString(page.language, { maximumFractionDigits: 3 });
  const known = (value, unit = "") => value === null ? text("unknown") : `${number(value)}${unit}`;

  function make(name, { role, ...attributes } = {}, ...children) {
    const made = document.createElement(name);
    Object.assign(made, attributes);
    if (role) {
      made.setAttribute("role", role);
    }
    made.append(...children);
    return made;
  }

  // Only what is new is put on the page, so that a reader keeps the place and the focus.
  function put(id, value, render) {
    const told = JSON.stringify(value);
    if (shown.get(id) !== told) {
      shown.set(id, told);
      render(value, byId(id));
    }
  }

  const putText = (id, value) => put(id, value, (words, place) => { place.textContent = words; });

  function putFigures(group) {
    put(`figures-${group.key}`, group.figures, (figures, place) => {
      place.replaceChildren(...figures.map((figure) => make("div", { className: figure.tone, id: `figure-${figure.key}` },
        make("dt", {}, figure.label), make("dd", {}, figure.value))));
    });
  }

  let isAllShown = false;

  function putIncidents(known, all) {
    const rows = isAllShown ? known : known.slice(0, FEW_INCIDENTS);
    byId("incidents").hidden = !rows.length;
    byId("incidents-none").hidden = rows.length > 0;
    byId("incidents-all").hidden = known.length === rows.length;
    byId("incidents-all").onclick = () => {
      isAllShown = true;
      putIncidents(known, all);
    };
    put("incidents", rows, (incidents, table) => {
      const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
      table.tBodies[0].replaceChildren(...incidents.map((incident) => make("tr", { role: "row" },
        ...page.columns.map((column, place) => {
          const cell = make("td", { role: "cell", className: column });
          cell.dataset.name = names[place];
          if (column === "page") {
            const nonce = decodeURIComponent(incident.page.split("/").pop());
            cell.append(make("a", { href: incident.page + location.search }, nonce));
          } else {
            cell.append(incident[column]);
          }
          return cell;
        }))));
    });
    byId("incidents-more").hidden = all <= known.length;
    putText("incidents-more", text("incidents_more", { number: number(all - known.length) }));
  }

  // Names of the fields of a moment, in the order in which it carries them; the first is its time.
  const QUANTITIES = ["prints_judged", "misissued", "errors", "exposures", "sync_runs", "p95"];

  function putCourse(snapshot) {
    const series = snapshot ? snapshot.series : [];
    const synchronises = !snapshot || snapshot.synchronises;
    const courses = QUANTITIES.map((name, index) => ({ name, field: index + 1 }))
      .filter(({ name }) => synchronises || name !== "sync_runs")
      .map((one) => ({ ...one, key: one.name === "exposures" && !synchronises ? "exposures_in_flight" : one.name }));
    byId("course-none").hidden = series.length > 0;
    byId("course-details").hidden = !series.length;
    put("charts", [series, snapshot && snapshot.planned_s], (_, place) => {
      place.replaceChildren(...(series.length ? courses : []).map((one) => chart(one, snapshot)));
    });
    put("course", series, (moments, body) => {
      byId("course-head").replaceChildren(...["elapsed", ...courses.map(({ key }) => key)].map((key) =>
        make("th", { scope: "col", className: "number" }, text(`chart_${key}`))));
      const step = Math.max(1, Math.ceil(moments.length / TABLE_ROWS));
      const few = moments.filter((_, place) => (moments.length - 1 - place) % step === 0);
      body.replaceChildren(...few.map((moment) => make("tr", {},
        ...[0, ...courses.map(({ field }) => field)].map((field) =>
          make("td", { className: "number" }, known(moment[field]))))));
    });
  }

  function chart({ name, field, key }, snapshot) {
    const points = snapshot.series.map((moment) => [moment[0], moment[field]]);
    const last = points[points.length - 1];
    const unit = name === "p95" ? " s" : "";
    const title = text(`chart_${key}`);
    const label = text("chart_label", { name: title, value: known(last[1], unit), seconds: number(last[0]) });
    const tone = name === "misissued" && last[1] > 0 ? "bad" : "";
    return make("figure", { className: tone },
      make("figcaption", {}, `${title}: `, make("strong", {}, known(last[1], unit))),
      window.lineChart({ points, seconds: snapshot.planned_s, least: unit ? 0.01 : 1, label, tone, format: number }));
  }

  function putCoverage(snapshot) {
    const grid = snapshot && page.grids[snapshot.cells_known];
    put("coverage", snapshot && snapshot.cells_known, (_, place) => {
      const [first, ...others] = (grid ? grid.groups : []).map((group, index) => {
        // On a narrow screen the largest is in the way of what comes after it.
        const isOpen = index < 2 || matchMedia("(min-width: 48.01rem)").matches;
        return make("details", { id: `coverage-${index}`, open: isOpen }, make("summary"), make("table"));
      });
      const largest = others.pop();
      place.replaceChildren(...[[first, ...others], [largest]].map((group) =>
        make("div", {}, ...group.filter((one) => one !== undefined))));
    });
    const cells = snapshot && snapshot.cells;
    const hits = cells && new Map(cells.map((cell) => [`${cell.phase} ${cell.states.join("+")}`, cell.sync_runs]));
    (grid ? grid.groups : []).forEach((group, index) => putHeat(`coverage-${index}`, grid.phases, group, hits));
    putText("coverage-text", text(
      !snapshot ? "coverage_none" : !snapshot.synchronises ? "coverage_in_flight"
        : cells === null ? "coverage_unknown" : "coverage_text",
      { hit: cells ? cells.length : 0, all: snapshot ? snapshot.cells_known : 0 },
    ));
  }

  function putHeat(id, phases, group, hits) {
    const most = Math.max(2, ...(hits ? hits.values() : []));
    const counts = group.rows.map((row) => phases.map((phase) => hits && (hits.get(`${phase.key} ${row.key}`) || 0)));
    put(id, [counts, most], (_, details) => {
      const caption = hits
        ? text("prints_together_hit", { number: group.number, hit: counts.flat().filter(Boolean).length, all: counts.flat().length })
        : text("prints_together", { number: group.number });
      details.querySelector("summary").textContent = caption;
      details.querySelector("table").replaceChildren(
        make("caption", { className: "unseen" }, caption),
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, text("states")),
          ...phases.map((phase) => make("th", { scope: "col" }, phase.name)))),
        make("tbody", {}, ...group.rows.map((row, index) => make("tr", {}, make("th", { scope: "row" }, row.name),
          ...counts[index].map((hit) => heatCell(hit, most))))),
      );
    });
  }

  function heatCell(hit, most) {
    if (hit === null) {
      return make("td", { className: "l0" }, text("unknown"));
    }
    const level = hit ? 1 + Math.round(4 * Math.log(hit) / Math.log(most)) : 0;
    return make("td", { className: `l${level}` }, hit ? number(hit) : "–");
  }

  function putList(id, sentences) {
    put(id, sentences, (lines, place) => place.replaceChildren(...lines.map((line) => make("li", {}, line))));
  }

  function show({ snapshot, view }) {
    const tone = { good: "PASS", bad: "FAIL", unsure: "INCONCLUSIVE" }[view.tone] || "";
    byId("headline").className = `verdict ${tone}`;
    putText("title", view.title);
    putText("sentence", view.sentence);
    putText("status", view.status);
    putText("run", snapshot ? `${snapshot.profile} · ${snapshot.target} · ${snapshot.directory}` : "");
    document.title = snapshot ? `${snapshot.verdict || view.status} · ${snapshot.profile} · ${text("tab")}` : text("tab");
    putList("reasons", snapshot && snapshot.state === "decided" ? view.reasons : []);
    byId("incidents").classList.toggle("without-sync-runs", snapshot !== null && !snapshot.synchronises);
    view.groups.forEach(putFigures);
    putIncidents(view.incidents, snapshot ? snapshot.misissued : 0);
    putCourse(snapshot);
    putCoverage(snapshot);
    putList("gaps", view.faults);
    byId("gaps-none").hidden = view.faults.length > 0;
  }

  // What is old is never shown as if it were new.
  function showStale(isStale) {
    if (isStale && byId("stale").hidden) {
      byId("stale").textContent = text("stale", { time: new Date().toLocaleTimeString(page.language) });
    }
    byId("stale").hidden = !isStale;
  }

  async function ask() {
    if (!document.hidden) {
      try {
        const signal = AbortSignal.timeout(PATIENCE_MS);  // a server that hangs, or a network that drops, says nothing
        const answer = await fetch(`snapshot.json${location.search}`, { cache: "no-store", redirect: "error", signal });
        show(await answer.json());
        showStale(false);
      } catch {
        showStale(true);
      }
    }
    setTimeout(ask, PERIOD_MS);
  }

  show(page.first);
  setTimeout(ask, PERIOD_MS);
})();
