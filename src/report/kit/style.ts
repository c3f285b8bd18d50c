/** The style sheet of every report: both themes, narrow and wide screens, paper. */
import { INK } from './palette.js'

export const CSS = `
:root{color-scheme:light dark;--paper:#fdfdfc;--raised:#f5f5f2;--ink:#1d2127;--soft:#5a616c;--line:#dcdcd6;--link:#1f5fa8;--warn:#8f3d00;--warnbg:#fff4e6;--tint:63,130,210}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--raised:#1d2126;--ink:#e6e7e8;--soft:#a4abb5;--line:#343a42;--link:#86b6ee;--warn:#ffbf80;--warnbg:#2c2216;--tint:95,155,225}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem clamp(1rem,4vw,3rem) 5rem;max-width:78rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI","Noto Sans",sans-serif;overflow-wrap:break-word}
h1{font-size:clamp(1.5rem,1.2rem + 1.4vw,2.1rem);line-height:1.2;font-weight:650;letter-spacing:-.012em;margin:0 0 .4rem}
h2{font-size:1.25rem;line-height:1.3;font-weight:650;margin:0 0 .9rem}
h3{font-size:1rem;font-weight:650;margin:1.6rem 0 .5rem}
p{margin:.35rem 0}
p,:where(ul:not([class])){max-width:44rem}
header p{color:var(--soft)}
section{margin-top:3rem;padding-top:1.4rem;border-top:1px solid var(--line);scroll-margin-top:1rem}
a{color:var(--link);text-underline-offset:.18em}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
nav ul{display:flex;max-width:none;flex-wrap:wrap;gap:.2rem 1.1rem;margin:1.2rem 0 0;padding:0;list-style:none;font-size:.925rem}
nav a{display:inline-block;padding:.2rem 0}
ul.notes{margin:.8rem 0;padding-left:1.1rem;color:var(--soft);max-width:44rem}
ul.warnings{margin:1.2rem 0;padding:.7rem 1rem;list-style:none;background:var(--warnbg);border-left:3px solid var(--warn);border-radius:3px;max-width:52rem}
ul.warnings li::before{content:"Warning: ";font-weight:650;color:var(--warn)}
ul.warnings li+li{margin-top:.4rem}
.scroll{overflow-x:auto;margin:.6rem 0 1.4rem;max-width:100%;background:linear-gradient(90deg,var(--paper) 30%,transparent) 0 0/2.5rem 100% no-repeat local,linear-gradient(270deg,var(--paper) 30%,transparent) 100% 0/2.5rem 100% no-repeat local,linear-gradient(90deg,var(--line),transparent) 0 0/.7rem 100% no-repeat scroll,linear-gradient(270deg,var(--line),transparent) 100% 0/.7rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.925rem;line-height:1.4}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding:0 0 .35rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:.42rem .7rem;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--line);font-weight:400}
th:first-child,td:first-child{padding-left:.1rem}
th:last-child:not(.hot),td:last-child:not(.hot){padding-right:.2rem}
thead th{color:var(--soft);font-size:.85rem;vertical-align:bottom;border-bottom-color:var(--soft)}
tbody th{min-width:4.5rem}
.result tbody th{font-weight:650}
.n{text-align:right;font-variant-numeric:tabular-nums lining-nums;white-space:nowrap}
thead .n{white-space:normal}
.result table{font-size:1.06rem}
.result th,.result td{padding-top:.55rem;padding-bottom:.55rem}
.result th+td,.result td+td,.result th+th{padding-left:1.6rem}
.scroll+.figures,p+.figures,p+.scroll,details+.scroll{margin-top:1.5rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21.5rem),1fr));gap:1.8rem 2.2rem;align-items:start;margin:.4rem 0 1.4rem}
figure{margin:0;min-width:0;break-inside:avoid}
figcaption{font-weight:600;font-size:.95rem;margin-bottom:.25rem}
figure>svg{display:block;width:100%;max-width:34rem;height:auto;overflow:visible}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin:0 0 .35rem;padding:0;list-style:none;font-size:.85rem;color:var(--soft)}
.legend svg{margin-right:.45rem;vertical-align:-.05rem}
svg text[fill="${INK.text}"]{fill:var(--soft)}
.remark{font-size:.875rem;color:var(--soft)}
details{margin-top:.2rem;font-size:.875rem}
summary{cursor:pointer;color:var(--soft);padding:.15rem 0;width:max-content}
td.hot{background:rgba(var(--tint),var(--heat))}
.sample{border:1px solid var(--line);border-radius:6px;padding:1rem 1.1rem;margin:0 0 1.1rem;break-inside:avoid}
.sample h3{margin:0 0 .3rem;font-size:.85rem;color:var(--soft);font-weight:500}
.flag{white-space:nowrap}
.truth{margin:.1rem 0 .5rem;font-weight:650}
.wide figure>svg{max-width:52rem}
.wide{margin-bottom:1.6rem}
.quoted{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.prompt{font-weight:600;max-width:52rem}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.8rem;margin-top:.9rem}
.answer{background:var(--raised);border-radius:4px;padding:.7rem .85rem;min-width:0}
.answer h4{margin:0 0 .35rem;font-size:.85rem;font-weight:650;color:var(--soft)}
.answer dl{display:grid;grid-template-columns:auto 1fr;gap:0 .8rem;margin:.6rem 0 0;font-size:.85rem;color:var(--soft)}
.answer dd{margin:0;font-variant-numeric:tabular-nums}
.headline{margin:0 0 1.2rem}
.answer-line{font-size:1.5rem;font-weight:650;line-height:1.25;margin:0 0 .5rem}
mark{background:rgba(var(--tint),.22);color:inherit;border-radius:2px;text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:.18em}
.best{font-weight:650;color:var(--ink)}
@media(max-width:34rem){body{padding-top:1.5rem}table{font-size:.84rem}th,td{padding-left:.38rem;padding-right:.38rem}thead th{font-size:.78rem}tbody th{min-width:2.6rem}.result table{font-size:.8rem}.result thead th{font-size:.74rem}.result th,.result td{padding-left:.22rem;padding-right:.22rem}.result th+td,.result td+td,.result th+th{padding-left:.22rem}.result tbody th{min-width:0}}
@media print{:root{--paper:#fff;--raised:#f5f5f2;--ink:#000;--soft:#444;--line:#bbb;--link:#000;--warn:#000;--warnbg:#fff;--tint:63,130,210}body{padding:0;max-width:none;font-size:10pt}nav,details{display:none}section{margin-top:1.5rem}h2{break-after:avoid}.scroll{overflow:visible}.figures{grid-template-columns:1fr 1fr}*{print-color-adjust:exact}}
`
