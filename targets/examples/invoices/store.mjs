/**
 * The store behind the service, a process of its own: a line with a customer's number in, a line of JSON with the customer
 * out. It serves one lookup after the other, so replies come in the order of the lines. It tidies up when nobody asks; one
 * that has been busy for long stops for that.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { customers } from './customers.mjs';

const LOOKUP_MS = 6;
const LONG = 100; // lookups without a pause
const TIDYING_MS = 300;

let untidied = 0; // lookups
let waiting = 0;
let turn = Promise.resolve();

async function serve(number, socket) {
  await sleep(LOOKUP_MS);
  untidied += 1;
  if (untidied === LONG) await sleep(TIDYING_MS);
  waiting -= 1;
  if (untidied === LONG || waiting === 0) untidied = 0;
  if (socket.writable) socket.write(`${JSON.stringify(customers.get(number) ?? null)}\n`);
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  createInterface({ input: socket })
    .on('line', (number) => {
      waiting += 1;
      turn = turn.then(() => serve(number, socket));
    })
    .on('close', () => (turn = turn.then(() => socket.end())));
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit()); // the service is gone, however it ended
