"use strict";
// The table of questions and what opens from it. Every text is data: it reaches the page as textContent and nowhere else.
(() => {
  const PAGE = 50; // rows at once, so that the page stays small however many questions there are
  const MOST_WORDS = 1500; // words of each statement that are compared
  const STATUSES = ["correct", "incorrect", "unscored"];
  const byId = (id) => document.getElementById(id);

  // ---- making elements

  const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
  const shown = (value) =>
    String(value).replace(CONTROL, (found) => "\\x" + found.charCodeAt(0).toString(16).padStart(2, "0"));

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      else if (value === true) element.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, shown(value));
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined)
      .map((child) => (child instanceof Node ? child : document.createTextNode(shown(child)))));
    return element;
  }

  const number = (value) => value.toLocaleString("en");
  function duration(seconds) {
    const [scale, unit] = seconds >= 1 ? [1, "s"] : seconds >= 1e-3 ? [1e3, "ms"] : [1e6, "µs"];
    const value = seconds * scale;
    return `${value >= 100 ? number(Math.round(value)) : Number(value.toPrecision(3))} ${unit}`;
  }

  // ---- reading what is embedded

  async function unpack(element) {
    const letters = atob(element.textContent);
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const partElements = document.querySelectorAll("script.part");
  const parts = new Map();
  function details(row) {
    const part = Math.floor(row / data.part);
    if (!parts.has(part)) {
      if (parts.size >= 8) parts.delete(parts.keys().next().value);
      parts.set(part, unpack(partElements[part]));
    }
    return parts.get(part).then((items) => items[row % data.part]);
  }

  let data; // the columns
  let texts; // what the text filter looks through, by row
  let rows = []; // the numbers of the questions that are shown, in order
  const state = {};
  const controls = {};

  // ---- the state of the filter, which is the fragment of the address

  const blank = () => ({
    q: "", status: "", reason: "", db: "", difficulty: "", strategy: String(preferred()), a: "0",
    b: data.runs.length > 1 ? "1" : "", flips: "", part: "", sort: "", page: "1", item: "",
  });
  function preferred() {
    return Math.max(0, data.strategies.indexOf(byId("app").dataset.strategy));
  }
  // Strategies, databases and so on by name: a link means the same in a report that was made again.
  const NAMED = { strategy: "strategies", db: "databases", difficulty: "grades" };

  function readFragment() {
    const told = new URLSearchParams(location.hash.startsWith("#questions?") ? location.hash.slice(11) : "");
    const base = blank();
    for (const key of Object.keys(base)) {
      let value = told.get(key);
      if (value === null) value = base[key];
      else if (key in NAMED) {
        const place = data[NAMED[key]].indexOf(value);
        value = place < 0 ? base[key] : String(place);
      } else if (key === "reason") {
        const place = data.reasons.findIndex(([words]) => words === value);
        value = place < 0 ? "" : String(place);
      } else if (key === "a" || key === "b") {
        const place = data.runs.findIndex((run) => run.letter === value);
        value = place < 0 ? (key === "b" && value === "" ? "" : base[key]) : String(place);
      }
      state[key] = value;
    }
    if (state.b === state.a) state.b = "";
  }
  function fragment() {
    const base = blank();
    const told = new URLSearchParams();
    for (const key of Object.keys(base)) {
      if (state[key] === base[key]) continue;
      let value = state[key];
      if (key in NAMED) value = data[NAMED[key]][Number(value)] ?? "";
      else if (key === "reason") value = data.reasons[Number(value)][0];
      else if ((key === "a" || key === "b") && value !== "") value = data.runs[Number(value)].letter;
      told.set(key, value);
    }
    const text = told.toString();
    return text ? `#questions?${text}` : "#questions";
  }
  function remember(push) {
    if (location.hash === fragment()) return;
    if (!location.hash && fragment() === "#questions") return;
    history[push ? "pushState" : "replaceState"](null, "", fragment());
  }

  // ---- filtering and sorting

  const reasonOf = (run, row) => {
    const column = data.verdicts[run][Number(state.strategy)];
    return column ? column[row] : -1;
  };
  const statusOf = (run, row) => {
    const reason = reasonOf(run, row);
    return reason < 0 ? "" : data.reasons[reason][1];
  };
  const chosen = () => [state.a, state.b].filter((run) => run !== "").map(Number);

  function flip(row) {
    const [a, b] = chosen();
    if (b === undefined) return "";
    const before = statusOf(a, row), after = statusOf(b, row);
    if (before === "correct" && after === "incorrect") return "lost";
    if (before === "incorrect" && after === "correct") return "won";
    return "";
  }
  function parted(run, row) {
    let right = false, wrong = false;
    for (const column of data.verdicts[run]) {
      if (!column || column[row] < 0) continue;
      const [words, status] = data.reasons[column[row]];
      if (words === "judged better" || words === "judged equal" || words === "judged worse") continue;
      right = right || status === "correct";
      wrong = wrong || status === "incorrect";
    }
    return right && wrong;
  }

  function filtered() {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const db = state.db === "" ? -1 : Number(state.db);
    const grade = state.difficulty === "" ? -1 : Number(state.difficulty);
    const reason = state.reason === "" ? -1 : Number(state.reason);
    const runs = chosen();
    const found = [];
    for (let row = 0; row < data.id.length; row++) {
      if (db >= 0 && data.db[row] !== db) continue;
      if (grade >= 0 && data.grade[row] !== grade) continue;
      if (state.status && !runs.some((run) => statusOf(run, row) === state.status)) continue;
      if (reason >= 0 && !runs.some((run) => reasonOf(run, row) === reason)) continue;
      if (state.flips) {
        const way = flip(row);
        if (state.flips === "any" ? !way : way !== state.flips) continue;
      }
      if (state.part && !runs.some((run) => parted(run, row))) continue;
      if (words.length && !words.every((word) => texts[row].includes(word))) continue;
      found.push(row);
    }
    return sorted(found);
  }

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const SORTS = {
    id: (row) => data.id[row],
    db: (row) => data.databases[data.db[row]],
    difficulty: (row) => data.grades[data.grade[row]],
    question: (row) => data.question[row],
    a: (row) => verdictKey(Number(state.a), row),
    b: (row) => (state.b === "" ? "" : verdictKey(Number(state.b), row)),
  };
  function verdictKey(run, row) {
    const reason = reasonOf(run, row);
    return reason < 0 ? "3" : `${STATUSES.indexOf(data.reasons[reason][1])} ${data.reasons[reason][0]}`;
  }
  function sorted(found) {
    const key = state.sort.replace("-", "");
    if (!Object.hasOwn(SORTS, key)) return found;
    const keys = new Map(found.map((row) => [row, SORTS[key](row)]));
    const way = state.sort.startsWith("-") ? -1 : 1;
    // Each text is compared with others of few kinds: ranks are quicker than asking the collator again and again.
    const ranks = new Map([...new Set(keys.values())].sort(collator.compare).map((text, rank) => [text, rank]));
    return found.sort((one, other) => way * (ranks.get(keys.get(one)) - ranks.get(keys.get(other))) || one - other);
  }

  // ---- the table

  function option(value, text) {
    return make("option", { value }, text);
  }
  function field(key, label, options) {
    const select = make("select", { on: { change: () => change(key, select.value) } }, options);
    controls[key] = select;
    return make("label", {}, label, select);
  }
  function tick(key, label) {
    const box = make("input", { type: "checkbox", on: { change: () => change(key, box.checked ? "yes" : "") } });
    controls[key] = box;
    return make("label", { class: "tick" }, box, label);
  }
  function change(key, value) {
    state[key] = value;
    if (key === "a" && state.b === value) state.b = "";
    if (state.b === "") state.flips = "";
    if (key !== "page") state.page = "1";
    update();
    remember(false);
  }
  const numbered = (names) => names.map((name, place) => [name, place])
    .sort(([one], [other]) => collator.compare(one, other));

  function build() {
    const app = byId("app");
    const search = make("input", {
      type: "search", autocomplete: "off", spellcheck: "false", placeholder: "words of question, SQL or id",
      on: { input: () => change("q", search.value) },
    });
    controls.q = search;
    const several = data.runs.length > 1;
    const runName = (run) => `${run.letter} ${run.name}`;
    const used = new Set(data.verdicts.flat().filter(Boolean).flatMap((column) => [...new Set(column)]));
    const filters = make("form", { class: "filters", role: "search", "aria-label": "Filter the questions",
      on: { submit: (event) => event.preventDefault() } },
      make("label", { class: "wide" }, "Text", search),
      several ? field("a", "Run", data.runs.map((run, place) => option(place, runName(run)))) : null,
      several ? field("b", "Beside", [option("", "no other"), ...data.runs.map((run, place) => option(place, runName(run)))]) : null,
      field("strategy", "Strategy", data.strategies.map((name, place) => option(place, name))),
      field("status", several ? "Status of either run" : "Status", [option("", "any"), ...STATUSES.map((name) => option(name, name))]),
      field("reason", several ? "Reason of either run" : "Reason", [option("", "any"), ...data.reasons
        .map(([words], place) => [words, place]).filter(([, place]) => used.has(place)).map(([words, place]) => option(place, words))]),
      field("db", "Database", [option("", "any"), ...numbered(data.databases).map(([name, place]) => option(place, name))]),
      field("difficulty", "Difficulty", [option("", "any"), ...data.grades.map((name, place) => option(place, name || "not graded"))]),
      several ? field("flips", "Flips", [option("", "all questions"), option("any", "flips only"),
        option("lost", "only the first is right"), option("won", "only the second is right")]) : null,
      data.strategies.length > 1 ? tick("part", "strategies disagree") : null,
      make("button", { type: "button", on: { click: () => { Object.assign(state, blank()); update(); remember(false); search.focus(); } } }, "Clear"));
    const head = make("tr", {},
      heading("id", "id"), heading("db", "database", "minor db"), heading("difficulty", "difficulty", "minor"),
      heading("question", "question"), heading("a", "a"), several ? heading("b", "b") : null);
    const table = make("table", { class: "items", "aria-describedby": "count" },
      make("caption", { class: "hidden" }, "Questions that pass the filter"),
      make("thead", {}, head), make("tbody", { id: "rows", on: { keydown: move, click: clicked } }));
    app.append(filters, pager("top"), make("div", { class: "scroll" }, table), pager("bottom"));
  }
  function heading(key, text, css) {
    const button = make("button", { type: "button", "data-sort": key, on: { click: () => sortBy(key) } }, text);
    return make("th", { scope: "col", class: css, "aria-sort": "none" }, button);
  }
  function sortBy(key) {
    change("sort", state.sort === key ? `-${key}` : state.sort === `-${key}` ? "" : key);
  }
  function pager(where) {
    const turn = (by) => {
      change("page", String(Number(state.page) + by));
      if (where === "bottom") byId("app").scrollIntoView();
    };
    return make("div", { class: "pager" },
      where === "top" ? make("p", { id: "count", class: "count", role: "status", "aria-live": "polite" }) : make("p", { class: "count small" }),
      make("button", { type: "button", "data-turn": "back", on: { click: () => turn(-1) } }, "Previous page"),
      make("span", { class: "small where" }),
      make("button", { type: "button", "data-turn": "on", on: { click: () => turn(1) } }, "Next page"));
  }

  const pages = () => Math.max(1, Math.ceil(rows.length / PAGE));
  function update() {
    rows = filtered();
    state.page = String(Math.min(Math.max(1, Number(state.page) || 1), pages()));
    for (const [key, control] of Object.entries(controls)) {
      if (control.type === "checkbox") control.checked = state[key] === "yes";
      else if (control.value !== state[key]) control.value = state[key];
    }
    if (controls.flips) controls.flips.disabled = state.b === "";
    const start = (Number(state.page) - 1) * PAGE;
    const page = rows.slice(start, start + PAGE);
    const count = rows.length === data.id.length ? `${number(rows.length)} questions` :
      `${number(rows.length)} of ${number(data.id.length)} questions`;
    if (byId("count").textContent !== count) byId("count").textContent = count;
    for (const where of document.querySelectorAll(".where"))
      where.textContent = rows.length ? `${number(start + 1)} – ${number(start + page.length)}` : "none";
    for (const button of document.querySelectorAll("[data-turn=back]")) button.disabled = Number(state.page) <= 1;
    for (const button of document.querySelectorAll("[data-turn=on]")) button.disabled = Number(state.page) >= pages();
    for (const button of document.querySelectorAll("[data-sort]")) {
      const key = button.dataset.sort, th = button.parentElement;
      th.setAttribute("aria-sort", state.sort === key ? "ascending" : state.sort === `-${key}` ? "descending" : "none");
      if (key === "a" || key === "b") {
        th.hidden = state[key] === "";
        button.textContent = state[key] === "" ? "" : shown(data.runs.length > 1 ? `run ${data.runs[Number(state[key])].letter}` : "verdict");
      }
    }
    byId("rows").replaceChildren(...page.map((row, place) => line(row, place)),
      ...(page.length ? [] : [make("tr", {}, make("td", { colspan: 6, class: "none" }, "No question passes this filter."))]));
  }
  function line(row, place) {
    return make("tr", { "data-row": row, class: flip(row) ? "flip" : null },
      make("th", { scope: "row" }, make("button", { type: "button", class: "open", tabindex: place ? -1 : 0 }, data.id[row])),
      make("td", { class: "minor db" }, make("bdi", {}, data.databases[data.db[row]])),
      make("td", { class: "minor" }, make("bdi", {}, data.grades[data.grade[row]] || "–")),
      make("td", { class: "question" }, make("bdi", {}, data.question[row])),
      chosen().map((run) => make("td", { class: "said" }, said(reasonOf(run, row)))));
  }
  function said(reason) {
    if (reason < 0) return make("span", { class: "none" }, "not there");
    const [words, status] = data.reasons[reason];
    return [make("span", { class: `status ${status}` }, status), words === "match" ? null : make("span", { class: "ends" }, words)];
  }
  function clicked(event) {
    if (String(getSelection())) return; // somebody is copying
    const row = event.target.closest("tr[data-row]");
    if (row) open(Number(row.dataset.row), true);
  }
  function move(event) {
    const buttons = [...byId("rows").querySelectorAll(".open")];
    const place = buttons.indexOf(document.activeElement);
    if (place < 0) return;
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) {
      const by = { PageDown: 1, PageUp: -1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      change("page", String(Number(state.page) + by));
      byId("rows").querySelector(".open")?.focus();
    } else {
      event.preventDefault();
      focusRow(buttons, Math.min(Math.max(0, to), buttons.length - 1));
    }
  }
  function focusRow(buttons, place) {
    buttons.forEach((button, at) => button.setAttribute("tabindex", at === place ? "0" : "-1"));
    buttons[place]?.focus();
  }

  // ---- one question

  const dialog = byId("detail");
  let current = -1;
  let mode = null; // which two statements stand side by side; kept from question to question

  async function open(row, push) {
    current = row;
    state.item = data.id[row];
    const place = rows.indexOf(row);
    if (place >= 0 && Math.floor(place / PAGE) + 1 !== Number(state.page)) {
      state.page = String(Math.floor(place / PAGE) + 1);
      update();
    }
    remember(push && !dialog.open);
    const item = await details(row);
    if (current !== row) return; // another one was asked for in the meantime
    const held = dialog.open && document.activeElement?.dataset.go;
    const pane = make("div", { class: "pane", tabindex: 0, role: "region", "aria-label": "The question" }, content(row, item));
    dialog.replaceChildren(
      make("div", { class: "bar-top" },
        make("h2", { id: "detail-h" }, make("bdi", {}, data.id[row])),
        make("span", { class: "small", role: "status" }, place < 0 ? "not in the filtered table" : `${number(place + 1)} of ${number(rows.length)}`),
        make("button", { type: "button", "data-go": "-1", disabled: place <= 0, on: { click: () => step(-1) } }, "Previous"),
        make("button", { type: "button", "data-go": "1", disabled: place < 0 || place >= rows.length - 1, on: { click: () => step(1) } }, "Next"),
        make("button", { type: "button", on: { click: () => dialog.close() } }, "Close")),
      pane,
      make("p", { class: "keys" }, make("kbd", {}, "←"), " ", make("kbd", {}, "→"), " previous and next question, ", make("kbd", {}, "Esc"), " back to the table"));
    if (!dialog.open) dialog.showModal();
    const again = held ? dialog.querySelector(`[data-go="${held}"]:not(:disabled)`) : null;
    (again || pane).focus();
  }
  function step(by) {
    const place = rows.indexOf(current) + by;
    if (place >= 0 && place < rows.length) open(rows[place], false);
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, select")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, k: -1, j: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  });
  dialog.addEventListener("close", () => {
    const row = current;
    current = -1;
    state.item = "";
    remember(false);
    const buttons = [...byId("rows").querySelectorAll(".open")];
    const place = buttons.findIndex((button) => Number(button.closest("tr").dataset.row) === row);
    focusRow(buttons, Math.max(0, place));
  });

  const facts = (pairs) => {
    const told = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
    return told.length ? make("dl", { class: "facts" }, told.map(([name, value]) =>
      make("div", {}, make("dt", {}, `${name}: `), make("dd", {}, make("bdi", {}, value))))) : null;
  };

  function content(row, item) {
    const runs = chosen();
    return [
      make("p", { class: "asked" }, make("bdi", {}, data.question[row])),
      facts([["database", data.databases[data.db[row]]], ["difficulty", data.grades[data.grade[row]]], ["evidence", item.evidence],
        ["tags", (item.tags || []).join(", ")],
        ["conversation", item.conversation === undefined ? "" : `${item.conversation}, turn ${item.turn}`]]),
      statements(row, item, runs),
      make("div", { class: "pair" }, runs.map((run) => side(run, row, item))),
    ];
  }

  function statements(row, item, runs) {
    const golds = item.golds.filter((gold) => gold.sql || gold.source);
    const texts = new Map(golds.map((gold, place) =>
      [`gold ${place}`, { title: golds.length > 1 ? `gold ${place + 1} of ${golds.length}` : "gold", sql: gold.sql || `(the result in ${gold.source})`, ran: gold }]));
    for (const run of runs) {
      const detail = item.runs[run];
      const own = (detail?.golds || []).filter((gold) => gold.sql);
      own.forEach((gold, place) => texts.set(`gold ${place} of ${run}`,
        { title: `gold of ${data.runs[run].letter}${own.length > 1 ? `, ${place + 1} of ${own.length}` : ""}`, sql: gold.sql, ran: gold }));
      texts.set(`run ${run}`, { title: data.runs.length > 1 ? `${data.runs[run].letter} ${data.runs[run].name}` : "answer",
        sql: data.sql[run][row], ran: detail?.predicted });
      if (detail?.first?.sql) texts.set(`first ${run}`, { title: `first attempt${data.runs.length > 1 ? ` of ${data.runs[run].letter}` : ""}`, sql: detail.first.sql, ran: detail.first.ran });
    }
    const pairs = [];
    for (const run of runs) {
      const own = [...texts.keys()].filter((key) => key.endsWith(` of ${run}`));
      for (const gold of own.length ? own : [...texts.keys()].filter((key) => /^gold \d+$/.test(key))) pairs.push([gold, `run ${run}`]);
      if (texts.has(`first ${run}`)) pairs.push([`first ${run}`, `run ${run}`]);
    }
    if (runs.length > 1) pairs.push([`run ${runs[0]}`, `run ${runs[1]}`]);
    if (!pairs.length) return make("div", { class: "pair" }, runs.map((run) =>
      make("div", {}, make("h4", {}, texts.get(`run ${run}`).title), plain(texts.get(`run ${run}`).sql))));
    const wrong = runs.find((run) => statusOf(run, row) !== "correct") ?? runs[0];
    const kept = pairs.find((pair) => pair.join() === mode);
    const first = kept || pairs.find((pair) => pair[1] === `run ${wrong}`) || pairs[0];
    const place = make("div", { "aria-live": "polite" });
    const show = (pair) => place.replaceChildren(sideBySide(texts.get(pair[0]), texts.get(pair[1])));
    show(first);
    const short = (key) => (key.startsWith("run ") ? (data.runs.length > 1 ? data.runs[Number(key.slice(4))].letter : "answer") : texts.get(key).title);
    const choice = pairs.length > 1 ? make("fieldset", {}, make("legend", {}, "Side by side:"), pairs.map((pair) =>
      make("label", {}, make("input", { type: "radio", name: "pair", checked: pair === first, on: { change: () => { mode = pair.join(); show(pair); } } }),
        `${short(pair[0])} and ${short(pair[1])}`))) : null;
    return make("section", { "aria-label": "SQL" }, choice, place);
  }

  const ranLine = (ran) => {
    if (!ran) return null;
    const told = [];
    if (ran.failure) told.push(ran.failure.replaceAll("_", " "));
    if (ran.rows !== undefined) told.push(`${number(ran.rows)} row${ran.rows === 1 ? "" : "s"}${ran.truncated ? ", cut" : ""}`);
    if (ran.seconds) told.push(duration(ran.seconds) + (ran.cached ? " when it was run" : ""));
    return [told.length ? make("p", { class: "small" }, told.join(", ")) : null, ran.message ? make("pre", {}, ran.message) : null];
  };
  const plain = (sql) => (sql === null || sql === undefined ? make("p", { class: "empty" }, "no SQL") : make("pre", { tabindex: 0 }, sql));

  function sideBySide(left, right) {
    const half = (one, inside) => make("div", {}, make("h4", {}, make("bdi", {}, one.title)), inside, ranLine(one.ran));
    if (left.sql === null || right.sql === null)
      return make("div", { class: "pair" }, half(left, plain(left.sql)), half(right, plain(right.sql)));
    const found = compare(left.sql, right.sql);
    if (found === null)
      return make("div", {}, make("p", { class: "small" }, "Too long to be compared word by word."),
        make("div", { class: "pair" }, half(left, plain(left.sql)), half(right, plain(right.sql))));
    const [onlyLeft, onlyRight] = [found.left, found.right].map((marks) => marks.filter(([text, only]) => only && text.trim()).length);
    const words = onlyLeft || onlyRight ? `Marked: ${onlyLeft} word${onlyLeft === 1 ? "" : "s"} only in the first, ${onlyRight} only in the second.` :
      "The two say the same, but for spaces, capitals and a semicolon at the end.";
    return make("div", {}, make("div", { class: "pair" },
      half(left, make("pre", { tabindex: 0 }, marked(found.left, "left"))), half(right, make("pre", { tabindex: 0 }, marked(found.right, "right")))),
      make("p", { class: "small" }, words));
  }
  const marked = (marks, css) => {
    const joined = []; // neighbours of one kind are one piece
    for (const [text, only] of marks) {
      const last = joined[joined.length - 1];
      if (last && last[1] === only) last[0] += text; else joined.push([text, only]);
    }
    return joined.map(([text, only]) => (only ? make("mark", { class: css }, text) : text));
  };

  // Words of SQL: quoted texts whole, names, numbers, signs. Spaces are kept for showing and not compared.
  const WORD = /\s+|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|[\p{L}_][\p{L}\p{N}_$]*|\d+(?:\.\d+)?|<>|!=|<=|>=|\|\||::|[\s\S]/gu;
  function split(sql) {
    const words = [];
    for (const [text] of sql.matchAll(WORD)) {
      if (/^\s/.test(text) && words.length) words[words.length - 1].after += text;
      else words.push({ text, key: /^['"`[]/.test(text) ? text : text.toLowerCase(), after: "" });
    }
    return words;
  }
  function compare(one, other) {
    const [a, b] = [split(one), split(other)];
    const end = (words) => (words.length && words[words.length - 1].key === ";" ? words.length - 1 : words.length);
    let [n, m, start] = [end(a), end(b), 0];
    while (start < n && start < m && a[start].key === b[start].key) start++;
    while (n > start && m > start && a[n - 1].key === b[m - 1].key) { n--; m--; }
    const [wide, high] = [n - start, m - start];
    if (wide > MOST_WORDS || high > MOST_WORDS) return null;
    // The longest common subsequence of what is left.
    const table = Array.from({ length: wide + 1 }, () => new Uint16Array(high + 1));
    for (let i = wide - 1; i >= 0; i--)
      for (let j = high - 1; j >= 0; j--)
        table[i][j] = a[start + i].key === b[start + j].key ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    const [onlyA, onlyB] = [new Set(), new Set()];
    let [i, j] = [0, 0];
    while (i < wide || j < high) {
      if (i < wide && j < high && a[start + i].key === b[start + j].key) { i++; j++; }
      else if (j >= high || (i < wide && table[i + 1][j] >= table[i][j + 1])) onlyA.add(start + i++);
      else onlyB.add(start + j++);
    }
    return { left: pieces(a, onlyA), right: pieces(b, onlyB) };
  }
  // Between two marked words the space is marked as well.
  const pieces = (words, only) => words.flatMap(({ text, after }, place) =>
    [[text, only.has(place)], ...(after ? [[after, only.has(place) && only.has(place + 1)]] : [])]);

  function side(run, row, item) {
    const detail = item.runs[run];
    const title = make("h3", {}, make("bdi", {}, data.runs.length > 1 ? `${data.runs[run].letter} ${data.runs[run].name}` : "Verdicts"));
    if (!detail) return make("section", { class: "side" }, title, make("p", { class: "empty" }, "This run has no record of the question."));
    const answer = detail.answer || {};
    const told = new Map((detail.verdicts || []).map((verdict) => [verdict.strategy, verdict]));
    const main = Number(state.strategy);
    const labels = data.strategies.map((_, place) => place).sort((one, other) => (other === main) - (one === main) || one - other);
    return make("section", { class: "side", "aria-label": title.textContent }, title,
      labels.map((place) => verdict(run, row, place, told.get(place), place === main)),
      make("h4", {}, "Answer"),
      facts([["model", answer.model || detail.answered_by], ["prompt", answer.prompt], ["SQL found as", (detail.extraction || "").replaceAll("_", " ")],
        ["finish reason", answer.finish_reason], ["tokens in", answer.input_tokens], ["tokens out", answer.output_tokens], ["of them thinking", answer.reasoning_tokens],
        ["cost", answer.cost === undefined ? "" : Number(answer.cost.toPrecision(4))], ["answered in", answer.seconds ? duration(answer.seconds) : ""],
        ["from the cache", answer.cached ? "yes" : ""], ["whole question", detail.seconds ? duration(detail.seconds) : ""],
        ["route", detail.route], ["note", detail.note],
        ["history", detail.history ? `${detail.history.by}, ${detail.history.shown} shown, ${detail.history.left_out} left out` : ""]]),
      answer.attempts ? make("div", {}, make("h4", {}, `${answer.attempts.length} failed request${answer.attempts.length === 1 ? "" : "s"} before`),
        make("ul", {}, answer.attempts.map((one) => make("li", {}, `${one.error}: ${one.message ?? ""}${one.waited ? ` (waited ${duration(one.waited)})` : ""}`)))) : null,
      calls("Asked on the way", detail.calls), calls("Asked of judges", detail.judging),
      answer.text ? make("details", {}, make("summary", {}, "the answer as it came"), make("pre", { tabindex: 0 }, answer.text)) : null);
  }
  const calls = (title, found) => (found ? make("div", {}, make("h4", {}, title), make("ul", {}, found.map((one) => make("li", {},
    [one.role, one.model, one.why, one.seconds ? duration(one.seconds) : "", one.cost !== undefined ? `cost ${Number(one.cost.toPrecision(4))}` : ""].filter(Boolean).join(" · "),
    one.sql ? make("pre", { tabindex: 0 }, one.sql) : null)))) : null);

  const flat = (values) => values.every((one) => typeof one !== "object");
  function words(value) {
    if (typeof value !== "object" || value === null) return value;
    if (!flat(Object.values(value))) return JSON.stringify(value);
    return Array.isArray(value) ? value.join(", ") : Object.entries(value).map(([name, one]) => `${name}: ${one}`).join("; ");
  }
  const DIFFERENCE = new Set(["missing", "extra", "missing_rows", "extra_rows", "gold_rows", "predicted_rows", "gold_columns", "predicted_columns"]);
  function verdict(run, row, strategy, told, main) {
    const column = data.verdicts[run][strategy];
    const reason = column ? column[row] : -1;
    if (reason < 0) return null;
    const [why, status] = data.reasons[reason];
    const evidence = told?.evidence || {};
    const score = told?.score === undefined ? "" : `, score ${Number(told.score.toPrecision(4))}`;
    const rest = Object.entries(evidence).filter(([key]) => !DIFFERENCE.has(key));
    const shownDifference = difference(evidence);
    return make("div", { class: "said-by" },
      make("p", {}, make("span", { class: `status ${status}` }, status), ` ${why}${score} `, make("span", { class: "small" }, make("bdi", {}, data.strategies[strategy]))),
      facts(rest.map(([key, value]) => [key.replaceAll("_", " "), words(value)])),
      shownDifference ? (main ? shownDifference : make("details", {}, make("summary", {}, "how the results differ"), shownDifference)) : null);
  }
  function difference(evidence) {
    if (![...DIFFERENCE].some((key) => key in evidence)) return null;
    const counts = [["rows of the gold", evidence.gold_rows], ["rows of the answer", evidence.predicted_rows]];
    const columns = [["columns of the gold", evidence.gold_columns], ["columns of the answer", evidence.predicted_columns]]
      .map(([name, names]) => [name, Array.isArray(names) ? names.join(", ") : ""]);
    return make("div", {}, facts([...counts, ...columns]), make("div", { class: "pair" },
      cells("only in the gold", evidence.missing, evidence.missing_rows, evidence.gold_columns, "only-gold"),
      cells("only in the answer", evidence.extra, evidence.extra_rows, evidence.predicted_columns, "only-ours")));
  }
  function cells(title, found, total, columns, css) {
    if (!Array.isArray(found) || !found.length) return null;
    const width = Math.max(...found.map((one) => (Array.isArray(one) ? one.length : 1)));
    const names = Array.isArray(columns) && columns.length === width ? columns : null;
    const more = typeof total === "number" && total > found.length ? `, ${found.length} of ${number(total)} here` : "";
    const rowsCount = typeof total === "number" ? total : found.length;
    return make("div", {}, make("h4", {}, `${title}: ${number(rowsCount)} row${rowsCount === 1 ? "" : "s"}${more}`),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, make("table", { class: `cells ${css}` },
        names ? make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, name)))) : null,
        make("tbody", {}, found.map((one) => make("tr", {}, (Array.isArray(one) ? one : [one]).map((cell) =>
          cell === null ? make("td", { class: "null" }, "NULL") :
            make("td", { class: typeof cell === "number" ? "num" : null }, typeof cell === "object" ? JSON.stringify(cell) : cell))))))));
  }

  // ---- beginning

  function follow() {
    if (location.hash && !location.hash.startsWith("#questions")) return;
    readFragment();
    const item = state.item;
    update();
    const row = item ? data.id.indexOf(item) : -1;
    if (row >= 0) { if (row !== current) open(row, false); }
    else { state.item = ""; if (dialog.open) dialog.close(); }
  }
  async function begin() {
    byId("loading").hidden = false;
    if (typeof DecompressionStream === "undefined") {
      byId("loading").textContent = "This browser cannot unpack the questions (DecompressionStream): use one from 2023 or later.";
      return;
    }
    data = await unpack(byId("columns"));
    texts = data.id.map((id, row) => [id, data.question[row], data.gold[row], ...data.sql.map((column) => column[row])]
      .map((text) => text || "").join("\n").toLowerCase());
    readFragment();
    build();
    byId("app").hidden = false;
    byId("loading").hidden = true;
    const linked = location.hash.startsWith("#questions");
    const item = state.item;
    update();
    document.documentElement.dataset.ready = "yes";
    if (linked) byId("questions").scrollIntoView({ behavior: "instant" });
    const row = item ? data.id.indexOf(item) : -1;
    if (row >= 0) open(row, false);
    addEventListener("hashchange", follow);
    addEventListener("popstate", follow);
  }
  begin().catch((error) => {
    const told = byId("loading");
    told.hidden = false;
    told.className = "warning";
    told.textContent = `The questions cannot be shown: ${error.message}`;
  });
})();
