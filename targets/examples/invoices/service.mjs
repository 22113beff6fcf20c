/**
 * The service: POST /invoices with {"customer", "kind", "reference"} and the customer's key brings
 * {"invoice": {"number", "pdf"}}, the file in base64. 404 for whoever bought nothing, 403 without the customer's key and
 * 503 when the store does not answer in time. GET /version tells the build.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { leaveQueue } from '../../defects/unread_reply.mjs';
import { customers } from './customers.mjs';
import { CancelledError, keepPlace, makeLookUp } from './lookups.mjs';
import { pdf } from './pdf.mjs';

const HOST = '127.0.0.1';
const LOOKUP_LIMIT_MS = 250;
const TITLES = { invoice: 'Invoice', receipt: 'Receipt' };
const DEFECTS = { 'unread-reply': leaveQueue };
const OPTIONS = {
  port: { type: 'string', default: '8080' },
  defect: { type: 'string' },
  log: { type: 'string' },
};

/** Raised when the service cannot start with its options. */
class StartError extends Error {}

function readOptions() {
  const { port, defect, log } = parseArgs({ options: OPTIONS }).values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new StartError(`--port: ${port} is no port, right is 0 to 65535`);
  if (defect !== undefined && !Object.hasOwn(DEFECTS, defect)) {
    throw new StartError(`--defect: ${defect} is not known, right is ${Object.keys(DEFECTS)}`);
  }
  return { port: Number(port), giveUp: defect ? DEFECTS[defect] : keepPlace, log: log && openLog(log) };
}

function openLog(path) {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw new StartError(`--log: ${path} cannot be written (${error.code}); name a file in a directory that is there`);
  }
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function makeFile(customer, kind) {
  const bought = customer.bought.split(';').map((item) => item.match(/(.*) (\d+)$/));
  const total = bought.reduce((sum, [, , yen]) => sum + Number(yen), 0);
  const row = (name, yen) => `${name.padEnd(30)}${String(yen).padStart(10)} yen`;
  const lines = [TITLES[kind], `Customer ${customer.person}`, customer.name, customer.city, ''];
  lines.push(...bought.map(([, name, yen]) => row(name, yen)), row('Total', total));
  return pdf(TITLES[kind], lines, { made: new Date(), id: randomBytes(16).toString('hex') });
}

async function issue(request, response, lookUp, { log }) {
  const { customer: asked, kind, reference } = JSON.parse(await text(request)) ?? {};
  const key = customers.get(asked)?.key;
  if (!key || request.headers.authorization !== `Bearer ${key}`) return answer(response, 403, { error: 'key' });
  if (!Object.hasOwn(TITLES, kind)) return answer(response, 400, { error: 'kind' });
  const cancellation = new AbortController();
  const limit = setTimeout(() => cancellation.abort(), LOOKUP_LIMIT_MS);
  response.on('close', () => cancellation.abort()); // nobody waits for the answer any more
  let customer;
  try {
    customer = await lookUp(asked, cancellation.signal);
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    return answer(response, 503, { error: 'store' });
  } finally {
    clearTimeout(limit);
  }
  if (!customer?.bought) return answer(response, 404, { error: 'nothing was bought' });
  const file = makeFile(customer, kind);
  if (log) writeSync(log, `${JSON.stringify({ nonce: reference, asked, owner: customer.person, kind })}\n`);
  return answer(response, 200, { invoice: { number: `${kind}-${customer.person}`, pdf: file.toString('base64') } });
}

async function main() {
  const options = readOptions();
  const store = fork(new URL('store.mjs', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  store.on('exit', () => fail('the store ended', 1));
  const [storePort] = await once(store, 'message');
  const lookUp = makeLookUp(storePort, options.giveUp);
  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url}`;
    if (asked === 'GET /version') return answer(response, 200, { build: 'invoices-1' });
    if (asked !== 'POST /invoices') return answer(response, 404, { error: 'place' });
    return issue(request, response, lookUp, options).catch((error) => {
      answer(response, error instanceof SyntaxError ? 400 : 500, { error: error.message });
    });
  });
  server.on('error', (error) => fail(`cannot listen on port ${options.port} of ${HOST} (${error.code})`, 2));
  server.listen(options.port, HOST, () => {
    console.log(JSON.stringify({ ready: 'invoices', url: `http://${HOST}:${server.address().port}` }));
  });
}

function fail(reason, code) {
  console.error(`invoices: ${reason}`);
  process.exit(code);
}

main().catch((error) => fail(error.message.split('\n')[0], 2));
