// Small line charts: one quantity over the time of a run, drawn as SVG.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 360, HEIGHT = 150, LEFT = 46, RIGHT = 10, TOP = 12, BOTTOM = 24;

  function draw(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    if (text !== undefined) {
      made.textContent = text;
    }
    return made;
  }

  // The least of 1, 2 and 5 times a power of ten that is not below.
  function roundUp(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * [1, 2, 5, 10].find((step) => step * power >= value);
  }

  // A moment whose value is unknown breaks the line: nothing is drawn there as if it were known.
  function path(points, x, y) {
    let isDrawn = false;
    return points.map(([at, value]) => {
      if (value === null) {
        isDrawn = false;
        return "";
      }
      const command = `${isDrawn ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      isDrawn = true;
      return command;
    }).join("");
  }

  // points: [seconds, value or null]; least: what the scale reaches at least; label: the whole chart in one sentence.
  window.lineChart = ({ points, seconds, least, label, tone, format }) => {
    const known = points.filter(([, value]) => value !== null);
    const top = roundUp(Math.max(least, ...known.map(([, value]) => value)));
    const end = Math.max(seconds, 1e-9, ...points.map(([at]) => at));
    const x = (at) => LEFT + (WIDTH - LEFT - RIGHT) * at / end;
    const y = (value) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, class: "picture" });
    for (const value of known.length ? [0, top / 2, top] : [0]) {
      svg.append(
        draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: value ? "grid" : "axis" }),
        draw("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end", class: "tick" }, format(value)),
      );
    }
    for (const [at, anchor] of [[0, "start"], [end / 2, "middle"], [end, "end"]]) {
      svg.append(draw("text", { x: x(at), y: HEIGHT - 6, "text-anchor": anchor, class: "tick" }, `${Math.round(at)} s`));
    }
    svg.append(draw("path", { d: path(points, x, y), class: `line ${tone}` }));
    const last = points[points.length - 1];
    if (last && last[1] !== null) {
      svg.append(draw("circle", { cx: x(last[0]), cy: y(last[1]), r: 3, class: `dot ${tone}` }));
    }
    return svg;
  };
})();
