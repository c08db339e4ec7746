// The look of an evaluation's report.html, beside report_style, and the script that shows its samples.
#pragma once

namespace rl {

inline constexpr const char* eval_page_style = R"css(
.bar{display:flex;flex-wrap:wrap;gap:8px 10px;align-items:center;margin:0 0 12px}
.bar input,.bar select,.bar button,.pages button{font:inherit;font-size:14px;color:var(--text);background:var(--panel);
border:1px solid var(--rule);border-radius:8px;padding:5px 10px}
.bar input{flex:1 1 220px;min-width:0}
.bar button,.pages button{cursor:pointer}.bar button[aria-pressed=true]{border-color:var(--s0);color:var(--s0);font-weight:600}
.pages button:disabled{opacity:.4;cursor:default}
.bar button b{font-weight:450;color:var(--soft);font-variant-numeric:tabular-nums}
:focus-visible{outline:2px solid var(--s0);outline-offset:1px}
.problem{background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:12px 14px;margin:0 0 12px;
display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:4px 18px}
.problem h3{font-size:14px;margin:0;grid-column:1/-1}
.problem h3 small{margin-left:8px}
.problem h4{font-size:13px;font-weight:500;color:var(--soft);margin:8px 0 0}
.sample{border:0;padding:0;background:none}
.sample .badge{margin-right:6px}.sample .note{display:inline}
.sample code{background:var(--bg);border:1px solid var(--rule);border-radius:5px;padding:0 5px;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.pages{display:flex;gap:10px;align-items:center;justify-content:center;margin:16px 0;font-size:14px}
td.number,th.number{text-align:right}tr.first td{border-top:2px solid var(--rule)}
mark{background:color-mix(in srgb,var(--s1) 35%,transparent);color:inherit;border-radius:3px}
@media (max-width:760px){.problem{grid-template-columns:minmax(0,1fr)}}
)css";

// Text of models and data only ever becomes textContent, never markup.
inline constexpr const char* eval_page_script = R"js(
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const pageSize = 20, find = id => document.getElementById(id);
const kinds = {all: () => true, right: s => s.verdict === true, wrong: s => s.verdict === false && !s.silent,
  none: s => s.silent, cut: s => s.cut, unscored: s => s.verdict === null};
let kind = "all", suite = "", page = 0, words = "";

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function marked(text) {
  const node = element("pre");
  if (!words) { node.textContent = text; return node; }
  const low = text.toLowerCase();
  let at = 0;
  for (let hit = low.indexOf(words); hit >= 0 && low.length === text.length; hit = low.indexOf(words, at)) {
    node.append(text.slice(at, hit), element("mark", "", text.slice(hit, hit + words.length)));
    at = hit + words.length;
  }
  node.append(text.slice(at));
  return node;
}

function holdsWords(problem, sample) {
  const texts = [problem.prompt, problem.gold, sample.text, sample.answer, sample.detail];
  return !words || texts.some(text => text.toLowerCase().includes(words));
}

function matching() {
  const out = [];
  for (const s of data.suites) {
    if (suite && s.name !== suite) continue;
    for (const problem of s.problems) {
      const samples = problem.samples.filter(x => kinds[kind](x) && holdsWords(problem, x));
      if (samples.length) out.push({suite: s.name, problem, samples});
    }
  }
  return out;
}

function badge(sample) {
  if (sample.verdict === true) return element("span", "badge good", "right");
  if (sample.verdict === null) return element("span", "badge soft", "no verdict");
  return element("span", "badge bad", sample.silent ? "no answer" : "wrong");
}

function sampleNode(sample) {
  const node = element("div", "sample"), head = element("h4");
  head.append(badge(sample));
  // Of a program the answer is the program itself, which stands below.
  if (sample.answer && !sample.answer.includes("\n")) head.append("answer ", element("code", "", sample.answer.slice(0, 300)), " ");
  head.append(element("span", "note", `sample ${sample.index} · ${sample.tokens} tokens${sample.cut ? " · truncated" : ""}` +
    (sample.detail ? ` · ${sample.detail}` : "")));
  node.append(head, marked(sample.text));
  return node;
}

function problemNode({suite: name, problem, samples}) {
  const node = element("article", "problem"), title = element("h3", "", `${name} ${problem.id}`);
  const right = problem.samples.filter(kinds.right).length;
  title.append(element("small", "", `${right} of ${problem.samples.length} right`));
  const left = element("div"), side = element("div");
  left.append(element("h4", "", "Prompt"), marked(problem.prompt), element("h4", "", "True answer"), marked(problem.gold));
  samples.forEach(s => side.append(sampleNode(s)));
  node.append(title, left, side);
  return node;
}

function show() {
  const all = matching(), pages = Math.max(1, Math.ceil(all.length / pageSize));
  page = Math.min(page, pages - 1);
  find("list").replaceChildren(...all.slice(page * pageSize, (page + 1) * pageSize).map(problemNode));
  if (!all.length) find("list").append(element("p", "note", "No sample fits."));
  find("where").textContent = `${all.length} problems, page ${page + 1} of ${pages}`;
  find("back").disabled = page === 0;
  find("next").disabled = page === pages - 1;
}

function count() {
  for (const button of document.querySelectorAll("[data-kind]")) {
    let samples = 0;
    for (const s of data.suites)
      if (!suite || s.name === suite) for (const p of s.problems) samples += p.samples.filter(kinds[button.dataset.kind]).length;
    button.querySelector("b").textContent = samples;
    button.hidden = samples === 0 && button.dataset.kind !== "all";
    button.setAttribute("aria-pressed", button.dataset.kind === kind);
  }
}

function change(move) {
  move();
  count();
  show();
}

for (const button of document.querySelectorAll("[data-kind]"))
  button.addEventListener("click", () => change(() => { kind = button.dataset.kind; page = 0; }));
find("suite").addEventListener("change", e => change(() => { suite = e.target.value; page = 0; }));
find("words").addEventListener("input", e => change(() => { words = e.target.value.toLowerCase(); page = 0; }));
find("back").addEventListener("click", () => change(() => { page -= 1; }));
find("next").addEventListener("click", () => { change(() => { page += 1; }); find("samples").scrollIntoView(); });
change(() => {});
)js";

}  // namespace rl
