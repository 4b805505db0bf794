// The page of its own: the view, and nothing else.
import { mount } from "./view.js";

const { namespace, path } = document.body.dataset;
mount(document.querySelector("#view"), { namespace, path });
