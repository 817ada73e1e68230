// Opens the live page in Chromium and looks at it. The Go test beside the page
// starts the server and its traffic, and passes:
//
//   node test.mjs CHROMIUM PAGE CONTROL CONNECTIONS DIRECTORY
//
// A GET of CONTROL/drain, /stop and /restart does that to the server; the page has
// to show CONNECTIONS connections; screenshots go to DIRECTORY.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { contrasts } from './contrast.mjs';

const [executablePath, url, control, connections, directory] = process.argv.slice(2);
const patience = 30000;

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
try {
  await looks();
  await numbers();
  await states();
} finally {
  await browser.close();
}

// open opens the page and fails at what the browser complains about.
async function open(options, complaints = []) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on('console', (m) => complaints.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', (e) => complaints.push(e.stack));
  page.on('requestfailed', (r) => complaints.push(`${r.url()}: ${r.failure().errorText}`));
  page.on('request', (r) => {
    if (!r.url().startsWith(url)) complaints.push(`asks for ${r.url()}`);
  });
  await page.goto(url);
  await page.getByRole('status').filter({ hasText: /^serving$/ }).waitFor();
  return { page, complaints, close: () => context.close() };
}

// looks takes screenshots in light, in dark and on a phone.
async function looks() {
  for (const [name, options] of Object.entries({
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
    'phone-dark': { colorScheme: 'dark', viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  })) {
    const { page, complaints, close } = await open(options);
    await page.waitForFunction(() => document.querySelectorAll('.chart .line').length >= 6);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name}: the page is ${wide} px wider than the window`);
    const poor = await page.evaluate(contrasts);
    assert.deepEqual(poor, [], `${name}: too little contrast`);
    await page.screenshot({ path: `${directory}/${name}.png`, fullPage: true });
    assert.deepEqual(complaints, [], name);
    await close();
  }
}

// numbers: what the page shows is what happens on the server, second by second.
async function numbers() {
  const { page, complaints, close } = await open({});
  const legend = (chart, label) => page.locator(`#chart-${chart} .legend li`, { hasText: label }).locator('output');
  const until = (what, check) => poll(page, what, check);

  await until('connections', async () => (await legend('connections', 'open').textContent()) === connections);
  for (const [chart, label] of [['messages', 'in'], ['messages', 'out'], ['bytes', 'in'], ['bytes', 'out'], ['callback', 'p99']]) {
    const texts = new Set();
    await until(`${chart} ${label} to move`, async () => {
      texts.add(await legend(chart, label).textContent());
      return texts.size >= 3 && [...texts].every((text) => /^[\d.,\s]+/.test(text) || text === '–');
    });
  }
  await until('a loop that is busy', async () => /^[1-9]/.test(await legend('busy', 'loop 0').textContent()));
  await until('a backlog', async () => (await legend('backlog', 'loop').allTextContents()).some((text) => /^[1-9]/.test(text)));
  const before = await page.locator('#chart-messages .line').first().getAttribute('d');
  await until('the line to move', async () => (await page.locator('#chart-messages .line').first().getAttribute('d')) !== before);

  for (const id of ['slowest', 'fattest']) {
    const row = page.locator(`#${id} tbody tr`).first();
    await until(`${id} connections`, async () => /^[0-9a-f]{16}127\.0\.0\.1:\d+[1-9]/.test(await row.textContent()));
  }
  const peer = page.locator('#closed tbody tr').first().locator('td').last();
  await until('connections that were closed', async () => Number(await peer.textContent()) > 0);

  await choices(page, legend);
  assert.deepEqual(complaints, []);
  await close();
}

// choices: the loop, the time shown, and a look back with the keyboard.
async function choices(page, legend) {
  const rows = await page.locator('#loops tbody tr').count();
  assert.ok(rows >= 2, `${rows} loops`);
  await page.getByRole('button', { name: 'loop 1', exact: true }).click();
  await poll(page, 'one loop', async () => (await page.locator('#chart-busy .line').count()) === 1);
  assert.equal(await page.getByLabel('Loop', { exact: true }).inputValue(), '1');
  assert.notEqual(await legend('connections', 'open').textContent(), connections);
  await page.getByLabel('Loop', { exact: true }).selectOption('all');
  await poll(page, 'all loops', async () => (await page.locator('#chart-busy .line').count()) === rows);

  await page.getByText('1 min', { exact: true }).click();
  assert.ok(await page.getByRole('radio', { name: '1 min' }).isChecked());
  await poll(page, 'the last minute', async () => (await page.locator('#chart-bytes .labels').textContent()).includes('−30 s'));

  await page.getByRole('img', { name: /^Bytes: in .* out / }).focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await poll(page, 'the cursor', async () => (await page.locator('.cursor line').count()) === 6);
  assert.match(await page.locator('#chart-bytes .when').textContent(), /ago$/);
  await page.keyboard.press('Escape');
  await poll(page, 'no cursor', async () => (await page.locator('.cursor line').count()) === 0);
}

// states: the page says what has become of the server, and finds it again.
async function states() {
  const { page, close } = await open({}); // a lost connection is a complaint, rightly
  const state = (text) => page.getByRole('status').filter({ hasText: text }).waitFor();
  await fetch(`${control}/stop`);
  await state('disconnected, retrying');
  await page.screenshot({ path: `${directory}/disconnected.png` });
  const points = () => page.evaluate(() => document.querySelector('#chart-connections .line').getAttribute('d').length);
  const before = await points();
  await fetch(`${control}/restart`);
  await state('serving');
  await poll(page, 'what was before, and more', async () => (await points()) > before);
  await fetch(`${control}/drain`);
  await state('draining');
  await page.screenshot({ path: `${directory}/draining.png` });
  await close();
}

// poll waits until check is true.
async function poll(page, what, check) {
  for (const end = Date.now() + patience; Date.now() < end;) {
    if (await check()) return;
    await page.waitForTimeout(100);
  }
  await page.screenshot({ path: `${directory}/failed.png`, fullPage: true });
  assert.fail(`waited in vain for ${what}`);
}
