// How the tests launch Chromium.
'use strict';

exports.LAUNCH = {
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
  ignoreDefaultArgs: ['--disable-back-forward-cache'], // people have it
};
