/** The page around one <emotion-panel>: /agent?call_id=… */

import "./emotion-panel.js";
import { make, say } from "./element.js";
import { pageSettings } from "./page.js";

const call = new URLSearchParams(location.search).get("call_id") ?? "";
const title = make("h1");
const panel = call ? make("emotion-panel", { "call-id": call }) : make("p");
const settings = make("div.settings");
settings.append(
  ...pageSettings((texts) => {
    const named = call ? texts.panel(call) : texts.noCall;
    say(title, named);
    document.title = named;
    if (call) panel.setAttribute("lang", texts.lang);
    else say(panel, texts.noCallHint);
  }),
);
document.querySelector("header").append(title, settings);
document.querySelector("main").append(panel);
