import { outsideQuotes } from '../outside-quotes.js';

/**
 * A statement as SQLite is to see it. Row locks are for engines with several writers at once: here a transaction has the
 * only one. A parameter is made an expression: to plan for its value SQLite (3.54, of better-sqlite3 13) would prepare the
 * statement again each time that it is given one, which takes up to ten times as long as to run it.
 */
export const toSqlite = (text: string): string =>
  outsideQuotes(text, (code) => code.replaceAll(/\bfor update( of \w+)?( skip locked)?/g, '').replaceAll('?', '+?'));
