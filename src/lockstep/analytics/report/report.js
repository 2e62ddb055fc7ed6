// Draws the charts from the JSON in the page, in our own template, and makes the tables sort. No request leaves the page.
(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const drawn = new Map(); // chart id -> {view, log}
  const compact = new Intl.NumberFormat("en", { notation: "compact" });
  const narrow = matchMedia("(max-width: 46rem)");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Colours live in the style sheet alone: "$gain" or "$loss/0.2" is looked up when a chart is drawn.
  function colour(name) {
    const [variable, alpha] = name.slice(1).split("/");
    const hex = getComputedStyle(root).getPropertyValue("--" + variable).trim();
    if (alpha === undefined) return hex;
    const part = (k) => parseInt(hex.slice(k, k + 2), 16);
    return `rgba(${part(1)},${part(3)},${part(5)},${alpha})`;
  }
  const coloured = new Set(["color", "fillcolor", "line", "marker", "gridcolor", "font"]);
  function resolved(value, key) {
    if (typeof value === "string") return coloured.has(key) && value[0] === "$" ? colour(value) : value;
    if (Array.isArray(value)) return key === "color" ? value.map((v) => resolved(v, key)) : value.map((v) => resolved(v, ""));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v, k)]));
    }
    return value;
  }

  function merged(base, extra) {
    const out = { ...base };
    for (const [k, v] of Object.entries(extra)) {
      const both = v && typeof v === "object" && !Array.isArray(v) && out[k] && typeof out[k] === "object";
      out[k] = both ? merged(out[k], v) : v;
    }
    return out;
  }

  function template(chart, traces) {
    const axis = {
      color: colour("$soft"), gridcolor: colour("$grid"), linecolor: colour("$rule"), zerolinecolor: colour("$muted"),
      zeroline: false, showline: false, ticks: "", automargin: true, tickfont: { size: 11 }, fixedrange: narrow.matches,
      title: { font: { size: 11 }, standoff: 8 }, nticks: narrow.matches ? 5 : 8,
    };
    const named = traces.filter((t) => t.name && t.showlegend !== false).length;
    return {
      autosize: true, margin: { l: 8, r: 12, t: named > 1 ? 34 : 12, b: 8, pad: 2 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("$soft") },
      hoverlabel: {
        bgcolor: colour("$panel"), bordercolor: colour("$rule"), align: "left",
        font: { color: colour("$ink"), size: 12, family: getComputedStyle(document.body).fontFamily },
      },
      showlegend: named > 1,
      legend: {
        orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", yref: "paper", font: { size: 11.5 },
        bgcolor: "rgba(0,0,0,0)", itemclick: "toggle", itemwidth: 30,
      },
      hovermode: "x unified", dragmode: narrow.matches ? false : "zoom",
      xaxis: {
        type: "date", showgrid: false, hoverformat: chart.hover, showspikes: true, spikemode: "across", spikesnap: "cursor",
        spikethickness: 1, spikedash: "solid", spikecolor: colour("$rule"), ...axis, nticks: narrow.matches ? 5 : 9,
      },
      yaxis: { ...axis },
    };
  }

  function figure(chart, state) {
    const view = chart.views[state.view];
    const layout = { ...view.layout };
    for (const name of ["xaxis", "yaxis"]) {
      if (layout[name] && typeof layout[name].title === "string") {
        layout[name] = { ...layout[name], title: { text: layout[name].title } };
      }
    }
    const traces = view.traces.map((t) => resolved({ ...t, x: column(t.x), y: column(t.y) }, ""));
    const full = merged(template(chart, traces), resolved(layout, ""));
    for (const note of full.annotations || []) note.font = { size: 10.5, color: colour("$soft") };
    if (state.log) {
      const tickvals = logTicks(traces);
      const ticktext = tickvals.map((v) => (full.yaxis.tickprefix || "") + compact.format(v).replace("K", "k"));
      full.yaxis = { ...full.yaxis, type: "log", tickmode: "array", tickvals, ticktext };
    }
    return { traces, full };
  }
  // 1, 2, 5, 10 ... over the drawn range: Plotly's own log ticks crowd within one decade.
  function logTicks(traces) {
    let [low, high] = [Infinity, 0];
    for (const t of traces) for (const y of t.y) if (y > 0) { low = Math.min(low, y); high = Math.max(high, y); }
    const steps = high / low < 4 ? [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8] : [1, 2, 5];
    const ticks = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k += 1) {
      for (const step of steps) if (step * 10 ** k >= low * 0.9 && step * 10 ** k <= high * 1.1) ticks.push(step * 10 ** k);
    }
    return ticks;
  }
  const column = (c) => (typeof c === "string" ? data.columns[c] : c);

  function draw(chart) {
    const place = document.getElementById("plot-" + chart.id);
    const state = drawn.get(chart.id) || { view: 0, log: false };
    drawn.set(chart.id, state);
    const { traces, full } = figure(chart, state);
    Plotly.react(place, traces, full, {
      responsive: true, displaylogo: false, displayModeBar: false, showTips: false, doubleClick: "reset", scrollZoom: false,
    });
    const note = document.getElementById("note-" + chart.id);
    if (note) note.textContent = chart.views[state.view].note || "";
  }

  const charts = data.charts.filter((chart) => document.getElementById("plot-" + chart.id));
  const byId = new Map(charts.map((chart) => [chart.id, chart]));
  // Charts are drawn when they come near the window: the first one is there at once, whatever the length of the page.
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watch.unobserve(entry.target);
      draw(byId.get(entry.target.id.slice(5)));
    }
  }, { rootMargin: "600px 0px" });
  for (const chart of charts) watch.observe(document.getElementById("plot-" + chart.id));

  const redraw = () => { for (const id of drawn.keys()) draw(byId.get(id)); };
  dark.addEventListener("change", redraw);
  narrow.addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    root.dataset.print = "";
    for (const chart of charts) draw(chart);
    for (const chart of charts) Plotly.relayout("plot-" + chart.id, { width: 620 });
  });
  addEventListener("afterprint", () => {
    delete root.dataset.print;
    for (const chart of charts) { Plotly.relayout("plot-" + chart.id, { width: null, autosize: true }); }
    redraw();
  });

  for (const button of document.querySelectorAll("button[data-log]")) {
    button.addEventListener("click", () => {
      const chart = byId.get(button.dataset.log);
      draw(chart);
      const state = drawn.get(chart.id);
      state.log = !state.log;
      button.setAttribute("aria-pressed", String(state.log));
      draw(chart);
    });
  }
  for (const select of document.querySelectorAll("select[data-view]")) {
    select.addEventListener("change", () => {
      const chart = byId.get(select.dataset.view);
      drawn.set(chart.id, { view: Number(select.value), log: false });
      Plotly.purge("plot-" + chart.id); // another instrument has other ranges: begin afresh
      draw(chart);
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    const collator = new Intl.Collator("en", { numeric: true });
    heads.forEach((head, k) => head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((h) => h.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[k].dataset.sort ?? row.cells[k].textContent;
      const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? 1 : -1) * compare(key(a), key(b)));
      table.tBodies[0].append(...rows);
    }));
    function compare(a, b) {
      const [x, y] = [Number(a), Number(b)];
      return a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y) ? x - y : collator.compare(a, b);
    }
  }

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        getSelection().selectAllChildren(source); // no clipboard here: at least mark it for the reader
        document.execCommand("copy");
      }
      const said = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = said; }, 1600);
    });
  }

  for (const link of document.querySelectorAll("a[data-csv]")) {
    link.addEventListener("click", () => {
      const text = JSON.parse(document.getElementById(link.dataset.csv).textContent);
      link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    });
  }
})();
