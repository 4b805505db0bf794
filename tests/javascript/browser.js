// Pages in a headless Chromium that do what they are told, over playwright-core. Orders and reports
// are lines as in `client.js`; each order is answered by one report, `done` or `failed`:
//
//     [verb, page, …]  ->  {"client": page, "event", "args", "transport": null}
//
// Its argument is the program, or where `browser_server.js` has one running that others share.
// `tests/end_to_end/browser.py` is the other end.
'use strict';

const { readFileSync } = require('fs');
const readline = require('readline');

const { chromium } = require('playwright-core');

const { LAUNCH } = require('./browser_options.js');

const pages = new Map();
const complaints = new Map();
let browser;

const verbs = {
  /** A new page in a profile of its own, so that nothing is remembered of other pages. */
  async open(name, url, options) {
    browser = browser || findBrowser(process.argv[2]);
    const context = await (await browser).newContext({ locale: 'en-GB', ...options });
    const page = await context.newPage();
    pages.set(name, page);
    watch(name, page);
    await page.goto(url, { waitUntil: 'load' });
  },
  wait: (name, selector) => find(name, selector).waitFor(),
  waitHidden: (name, selector) => find(name, selector).waitFor({ state: 'hidden' }),
  fill: (name, selector, text) => find(name, selector).fill(text),
  type: (name, selector, text) => find(name, selector).pressSequentially(text),
  press: (name, selector, key) => find(name, selector).press(key),
  click: (name, selector) => find(name, selector).click(),
  choose: (name, selector, path) => find(name, selector).setInputFiles(path),
  text: (name, selector) => find(name, selector).innerText(),
  attribute: (name, selector, attribute) => find(name, selector).getAttribute(attribute),
  setTheme: (name, theme) => pages.get(name).emulateMedia({ colorScheme: theme }),
  count: (name, selector) => pages.get(name).locator(selector).count(),
  /** Width, height and the colour in the middle of an image, as it was decoded. */
  image: (name, selector) => find(name, selector).evaluate(async (image) => {
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const middle = context.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data;
    return [canvas.width, canvas.height, [...middle.slice(0, 3)]];
  }),
  screenshot: async (name, path) => { await pages.get(name).screenshot({ path }); },
  complaints: (name) => complaints.get(name),
  select: (name, selector, value) => find(name, selector).selectOption(value),
  back: (name) => pages.get(name).goBack({ waitUntil: 'commit' }),
  key: (name, key) => pages.get(name).keyboard.press(key),
  evaluate: (name, expression) => pages.get(name).evaluate(expression),
  /** `waitForFunction` would need `eval` in the page, which its Content-Security-Policy forbids. */
  waitUntil: async (name, expression) => {
    for (let left = 400; left > 0; left -= 1) {
      if (await pages.get(name).evaluate(expression)) return;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    throw new Error(`it never came about: ${expression}`);
  },
  /** What axe-core finds of any weight: `impact rule: elements`. */
  axe: async (name) => {
    await pages.get(name).evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf-8'));
    const { violations } = await pages.get(name).evaluate('axe.run()');
    return violations.map(({ impact, id, nodes }) => (
      `${impact} ${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`)}`));
  },
};

/** A Chromium that runs already, by its address, or one of our own, by its program. */
const findBrowser = (where) => (where.startsWith('ws://')
  ? chromium.connect(where)
  : chromium.launch({ executablePath: where, ...LAUNCH }));

/** What the browser has to say against a page: also what the Content-Security-Policy forbade. */
function watch(name, page) {
  const list = [];
  complaints.set(name, list);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) list.push(message.text());
  });
  page.on('pageerror', (error) => list.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) list.push(`${response.status()} ${response.url()}`);
  });
}

const find = (name, selector) => pages.get(name).locator(selector).first();

async function obey([verb, client, ...args]) {
  let event = 'done';
  let result;
  try {
    result = await verbs[verb](client, ...args);
  } catch (error) {
    [event, result] = ['failed', String(error)];
  }
  const report = { client, event, args: [result === undefined ? null : result], transport: null };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function leave() {
  if (browser) await (await browser).close();
  process.exit();
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line)))
  .on('close', leave);
