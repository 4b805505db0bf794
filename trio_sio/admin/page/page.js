// The page of its own: the view, and nothing else.
import { mount } from "./view.js";

const { namespace, path, transports } = document.body.dataset;
// One of several servers may have sent the page, and another one answer it.
const onHello = ({ title }) => { document.title = document.querySelector("h1").textContent = title; };
mount(document.querySelector("#view"), { namespace, path, transports: transports.split(" "), onHello });
