// The look of report.html.
#pragma once

namespace rl {

inline constexpr const char* report_style = R"css(
:root{--bg:#fbfbfa;--panel:#fff;--text:#1d1d1f;--soft:#6b6b70;--rule:#e4e4e2;--good:#1a7f4b;--bad:#b4382c;
--s0:#2f6fde;--s1:#d9772b;--s2:#2c9a73;--s3:#a04fc0;
--s4:#8a8f1f;--s5:#c2436b}
@media (prefers-color-scheme:dark){:root{--bg:#141416;--panel:#1d1d20;--text:#ececee;--soft:#9a9aa2;--rule:#323237;
--good:#4cc38a;
--bad:#ef7b6d;--s0:#78a6ff;--s1:#f2a365;--s2:#5fcfa4;--s3:#cf93ea;--s4:#c9cf62;--s5:#f08bab}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:28px;margin:8px 0 4px}h2{font-size:19px;margin:36px 0 12px}
small,.note{color:var(--soft);font-weight:400}.note{margin:2px 0;font-size:13px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;margin-top:20px}
.card,.chart,.sample,details{background:var(--panel);border:1px solid var(--rule);border-radius:10px}
.card{padding:14px 16px}.label{color:var(--soft);font-size:13px}
.value{font-size:25px;font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap}
.before,.to{color:var(--soft);font-weight:450}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:12px}
figure{margin:0}.narrow{max-width:440px;margin-bottom:12px}.chart{padding:12px 12px 10px}figcaption{font-weight:600;margin-bottom:4px}
svg{display:block;width:100%;height:auto}
.grid{stroke:var(--rule);stroke-width:1}.tick{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}.line.s3{stroke:var(--s3)}
.line.s4{stroke:var(--s4)}.line.s5{stroke:var(--s5)}
.dot.s0{fill:var(--s0)}.dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}.dot.s4{fill:var(--s4)}
.dot.s5{fill:var(--s5)}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12px;color:var(--soft);margin-top:4px}
.legend b{color:var(--text);font-variant-numeric:tabular-nums}
.legend i{display:inline-block;width:10px;height:3px;border-radius:2px;margin-right:5px;vertical-align:middle}
i.s0{background:var(--s0)}i.s1{background:var(--s1)}i.s2{background:var(--s2)}i.s3{background:var(--s3)}
i.s4{background:var(--s4)}i.s5{background:var(--s5)}
pre,code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg);border:1px solid var(--rule);border-radius:8px;
padding:10px 12px;margin:6px 0;
max-height:420px;overflow:auto}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:12px}.sample{padding:12px}
.badge{font-size:12px;font-weight:600;padding:1px 8px;border-radius:9px;border:1px solid currentColor}.good{color:var(--good)}
.bad{color:var(--bad)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th,td{text-align:left;padding:7px 10px;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}
th{color:var(--soft);font-weight:500;font-size:13px}
details{padding:10px 14px;margin:10px 0}summary{cursor:pointer;font-weight:600}
details td{white-space:normal}
)css";

}  // namespace rl
