/** Lookups in the store over one connection that all requests share. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const LOOKUPS_EACH = 70; // then the connection is made anew

export class CancelledError extends Error {}

/** Whoever gives up stays in the queue: his reply still comes, and has to go to nobody else. */
export function keepPlace() {}

/** `giveUp(waiting, waiter)` is called when somebody who waits for a reply gives up. */
export function makeLookUp(port, giveUp) {
  let connection = open(port);

  /** The customer of a number, or null; rejects with CancelledError when `signal` aborts first. */
  return (number, signal) => {
    if (connection.sent === LOOKUPS_EACH) {
      connection.socket.end(); // the replies of what was sent still come
      connection = open(port);
    }
    const { waiting, socket, hand } = connection;
    connection.sent += 1;
    return new Promise((resolve, reject) => {
      const waiter = { resolve };
      signal.addEventListener('abort', () => {
        if (waiting.includes(waiter)) giveUp(waiting, waiter);
        reject(new CancelledError());
      });
      waiting.push(waiter);
      socket.write(`${number}\n`);
      hand();
    });
  };
}

function open(port) {
  const socket = connect(port, '127.0.0.1');
  const waiting = []; // whoever has sent a lookup and not got a reply, in this order
  const replies = []; // that nobody has taken yet
  // Replies come in the order of the lookups, so each is for whoever waits longest.
  const hand = () => {
    while (replies.length && waiting.length) waiting.shift().resolve(replies.shift());
  };
  createInterface({ input: socket }).on('line', (line) => {
    replies.push(JSON.parse(line));
    hand();
  });
  return { socket, waiting, hand, sent: 0 };
}
