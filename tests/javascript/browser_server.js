// One headless Chromium for several processes of `browser.js`: prints where they connect, and ends with
// its input.
'use strict';

const { chromium } = require('playwright-core');

const { LAUNCH } = require('./browser_options.js');

async function serve() {
  const server = await chromium.launchServer({ executablePath: process.argv[2], ...LAUNCH });
  process.stdout.write(`${server.wsEndpoint()}\n`);
  process.stdin.resume();
  process.stdin.on('end', async () => {
    await server.close();
    process.exit();
  });
}

serve();
