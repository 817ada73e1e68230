// Opens the chat in Chromium, as several people. The Go test beside the page starts
// the server, and passes:
//
//   node test.mjs CHROMIUM PAGE CONTROL DIRECTORY
//
// A GET of CONTROL/stop and /start does that to the server, /swarm has bots talk to
// one another for a while. Screenshots go to DIRECTORY.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { contrasts } from './contrast.mjs';

const [executablePath, url, control, directory] = process.argv.slice(2);
const patience = 20000;

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const small = { viewport: { width: 320, height: 568 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
try {
  await talk();
  await crowd();
  await lost();
} catch (e) {
  for (const [i, page] of browser.contexts().flatMap((c) => c.pages()).entries()) await shoot(page, `failed-${i}`);
  throw e;
} finally {
  await browser.close();
}

// open opens the page, and notes what the browser complains about, and requests to
// anywhere else.
async function open(options, path = '') {
  const context = await browser.newContext({ colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const complaints = [];
  page.on('console', (m) => complaints.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', (e) => complaints.push(e.stack));
  page.on('requestfailed', (r) => complaints.push(`${r.url()}: ${r.failure().errorText}`));
  page.on('request', (r) => {
    if (!r.url().startsWith(url)) complaints.push(`asks for ${r.url()}`);
  });
  await page.goto(url + path);
  return { page, complaints };
}

// enter opens the page and goes through its door.
async function enter(name, options = desktop, path = '') {
  const p = await open(options, path);
  const door = p.page.getByRole('dialog', { name: 'Come in' });
  await door.waitFor();
  if (name === 'Ada') await shoot(p.page, 'door');
  await door.getByLabel('Name').fill(name);
  await door.getByRole('button', { name: 'Enter' }).click();
  await connected(p.page);
  return p;
}

function connected(page) {
  return page.getByRole('status').filter({ hasText: /^connected$/ }).waitFor({ state: 'attached' });
}

function said(page, text) {
  return page.locator('#log .text', { hasText: text });
}

async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

// looks checks what holds for every view of the page.
async function looks(page, name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name}: the page is ${wide} px wider than the window`);
  assert.deepEqual(await page.evaluate(contrasts), [], `${name}: too little contrast`);
  await shoot(page, name);
}

async function shoot(page, name) {
  await page.screenshot({ path: `${directory}/${name}.png` });
}

// talk: two people, a reload, text that would be HTML, another room, a phone, the dark.
async function talk() {
  const ada = await enter('Ada');
  const ben = await enter('Ben', { ...phone, colorScheme: 'dark' });
  const a = ada.page;
  const b = ben.page;
  await a.locator('#log .event', { hasText: 'Ben joined' }).waitFor();

  await say(a, 'Hello Ben, can you read me?');
  await said(b, 'can you read me').waitFor();
  await say(b, 'Loud and clear. On my phone, in the dark.');
  await said(a, 'Loud and clear').waitFor();
  const evil = '<img src=x onerror="document.title=1"><b>bold</b> &amp; "quotes"';
  await say(a, evil);
  await said(b, 'bold').waitFor();
  assert.equal(await said(b, 'bold').textContent(), evil);
  assert.equal(await b.locator('#log img, #log b').count(), 0, 'text became HTML');
  await a.getByLabel('Message', { exact: true }).fill('one line');
  await a.keyboard.press('Shift+Enter');
  await a.keyboard.type('and another: שלום, مرحبا, 你好 👋');
  await a.keyboard.press('Enter');
  await said(b, 'and another').waitFor();

  await a.reload();
  await connected(a);
  await said(a, 'Loud and clear').waitFor();
  assert.equal(await a.locator('#log .text').count(), 4, 'the history');
  assert.equal(await a.locator('#me-name').textContent(), 'Ada', 'the name is kept');
  assert.equal(await a.locator('#log .mine').count(), 3, 'what is mine is known');
  await looks(a, 'two');
  await looks(b, 'phone-dark');

  await b.getByRole('button', { name: 'Rooms', exact: true }).click();
  await b.getByLabel('Another room').fill('Garden Party');
  await b.waitForTimeout(300); // the drawer moves
  await looks(b, 'phone-rooms');
  await b.getByRole('button', { name: 'Go to that room' }).click();
  await b.locator('h1', { hasText: 'garden-party' }).waitFor();
  await b.locator('#log .empty').waitFor();
  await a.locator('#log .event', { hasText: 'Ben left' }).waitFor();
  const link = a.getByRole('link', { name: /^garden-party, 1 here/ });
  await link.click();
  await b.locator('#log .event', { hasText: 'Ada joined' }).waitFor();
  assert.equal(await a.locator('#people li').count(), 2);

  // All at once: a browser that is short of processor time would keep to the limit, which is one of a rate.
  await a.evaluate(() => {
    for (let i = 1; i <= 60; i++) {
      document.getElementById('text').value = `flood ${i}`;
      document.getElementById('say').requestSubmit();
    }
  });
  await a.getByRole('status').filter({ hasText: 'closed' }).waitFor();
  await a.locator('#banner-text', { hasText: 'too many messages' }).waitFor();
  await shoot(a, 'sent-away');
  await a.getByRole('button', { name: 'Try now' }).click();
  await connected(a);

  const eve = await enter('ADA', small, '#garden-party');
  assert.equal(await eve.page.locator('#me-name').textContent(), 'ADA 2', 'a name that is taken gets a number');
  await looks(eve.page, 'small');
  for (const p of [ada, ben, eve]) {
    assert.deepEqual(p.complaints, []);
    await p.page.context().close();
  }
}

// crowd: a room in which much goes on.
async function crowd() {
  const ada = await enter('Ada Lovelace', { ...desktop, deviceScaleFactor: 2 });
  await fetch(`${control}/swarm`);
  const dark = await enter('Grace', { ...desktop, colorScheme: 'dark' });
  await poll(ada.page, 'a rate', async () => Number(await ada.page.locator('#rate').textContent()) > 1);
  await say(ada.page, 'Good morning, everybody. So many of you today!');
  await poll(ada.page, 'messages', async () => (await ada.page.locator('#log .text').count()) > 12);
  await poll(ada.page, 'people', async () => Number(await ada.page.locator('#here').textContent()) > 30);
  await ada.page.waitForTimeout(8000); // for a line that is worth a picture
  await looks(ada.page, 'crowd');
  await looks(dark.page, 'crowd-dark');

  const scroller = ada.page.locator('#scroller');
  await scroller.evaluate((e) => e.scrollTo(0, 0));
  const newer = ada.page.getByRole('button', { name: /New messages/ });
  await newer.click();
  await poll(ada.page, 'the end', () => scroller.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 60));
  for (const p of [ada, dark]) {
    assert.deepEqual(p.complaints, []);
    await p.page.context().close();
  }
}

// lost: the server goes, and comes again.
async function lost() {
  const { page } = await enter('Ada'); // that it complains is right
  await page.getByLabel('Message', { exact: true }).fill('not sent yet');
  await fetch(`${control}/stop`);
  await page.getByRole('status').filter({ hasText: 'disconnected' }).waitFor();
  await page.locator('#banner-text', { hasText: 'The server is stopping. Trying again in' }).waitFor();
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  await looks(page, 'disconnected');
  await fetch(`${control}/start`);
  await page.getByRole('button', { name: 'Try now' }).click({ timeout: 2000 }).catch(() => {}); // it may have come by itself
  await connected(page);
  await page.getByRole('button', { name: 'Send' }).click();
  await said(page, 'not sent yet').waitFor();
  await page.context().close();
}

// poll waits until check is true.
async function poll(page, what, check) {
  for (const end = Date.now() + patience; Date.now() < end;) {
    if (await check()) return;
    await page.waitForTimeout(100);
  }
  assert.fail(`waited in vain for ${what}`);
}
