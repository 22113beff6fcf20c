/** The customers of the shop and what they bought, by their numbers: the rows of people.csv. */
import { readFileSync } from 'node:fs';

const [header, ...rows] = readFileSync(new URL('people.csv', import.meta.url), 'utf8').trim().split('\n');
const columns = header.split(',');

export const customers = new Map(
  rows.map((row) => {
    const cells = row.split(',');
    const customer = Object.fromEntries(columns.map((name, place) => [name, cells[place]]));
    return [customer.person, customer];
  }),
);
