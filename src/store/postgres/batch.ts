import pg, { type Connection as Wire } from 'pg';
import type { Value } from '../sql.js';

/** A statement on its way. Without a name it is parsed each time. */
export interface Sent {
  text: string;
  name: string | undefined;
  values: readonly Value[];
  resolve(answer: Answer<unknown>): void;
  reject(error: unknown): void;
}

export interface Answer<Row> {
  rows: Row[];
  /** How many rows were read or changed. */
  count: number;
  /** What was done, such as `UPDATE`. */
  command: string;
}

interface Field {
  name: string;
  dataTypeID: number;
}

type Parser = (text: string) => unknown;

/**
 * Statements that travel together, for `client.query`: one packet there and one back, where the driver alone would send
 * each by itself and have each answered by itself. One that fails ends the batch: the server skips those behind it, and
 * they fail with the same error. Source: PostgreSQL's "Message Flow", pipelining.
 */
export class Batch extends pg.Query {
  readonly #statements: readonly Sent[];
  readonly #parserOf: (type: number) => Parser;
  /** Names that the server is known to have; those of this batch are added. */
  readonly #prepared: Set<string>;
  /** Which of the statements is being answered. */
  #place = 0;
  #rows: unknown[] = [];
  #fields: { name: string; parse: Parser }[] = [];
  /** Given by `client.query`, which ends its timer by it. */
  declare callback: ((error: unknown) => void) | undefined;

  constructor(statements: readonly Sent[], prepared: Set<string>, parserOf: (type: number) => Parser) {
    super({ text: '' });
    this.#statements = statements;
    this.#prepared = prepared;
    this.#parserOf = parserOf;
  }

  override submit = (wire: Wire): void => {
    wire.stream.cork();
    for (const { text, name = '', values } of this.#statements) {
      if (!this.#prepared.has(name)) {
        // It may be there all the same, from a batch that has failed.
        if (name !== '') wire.close({ type: 'S', name }, true);
        wire.parse({ name, text, types: [] }, true);
      }
      wire.bind({ statement: name, values: values.map(onTheWire) }, true);
      wire.describe({ type: 'P', name: '' }, true);
      wire.execute({}, true);
    }
    wire.sync();
    wire.stream.uncork();
  };

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({ name, parse: this.#parserOf(dataTypeID) }));
  }

  handleDataRow({ fields: texts }: { fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {};
    for (const [index, { name, parse }] of this.#fields.entries()) {
      const text = texts[index] ?? null;
      row[name] = text === null ? null : parse(text);
    }
    this.#rows.push(row);
  }

  handleCommandComplete({ text }: { text: string }): void {
    const statement = this.#statements[this.#place++];
    if (statement?.name !== undefined) this.#prepared.add(statement.name);
    const [command = '', ...counts] = text.split(' ');
    const rows = this.#rows;
    this.#rows = [];
    this.#fields = [];
    statement?.resolve({ rows, count: Number(counts.at(-1) ?? 0), command });
  }

  handleError(error: unknown): void {
    const behind = this.#statements.slice(this.#place);
    this.#place = this.#statements.length;
    for (const { reject } of behind) reject(error);
    this.callback?.(error);
  }

  handleReadyForQuery(): void {
    this.callback?.(undefined);
  }
}

/** Bytes go as they are, everything else as text, whose type the server knows from its place. */
function onTheWire(value: Value): string | Buffer | null {
  if (value === null) return null;
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : String(value);
}
