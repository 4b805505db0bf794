// The page of its own: the view, and nothing else.
import { mount } from "./view.js";

const { namespace, path, transports } = document.body.dataset;
mount(document.querySelector("#view"), { namespace, path, transports: transports.split(" ") });
