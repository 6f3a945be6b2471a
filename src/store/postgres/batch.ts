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
  parse: Parser;
}

type Parser = (text: string) => unknown;

/** The names under which a server knows statements, and what their rows hold; it is told with the first answer alone. */
export type Prepared = Map<string, readonly Field[]>;

/**
 * Statements that travel together, for `client.query`: one packet there and one back, where the driver alone would send
 * each by itself and have each answered by itself. One that fails ends the batch: the server skips those behind it, and
 * they fail with the same error. Source: PostgreSQL's "Message Flow", pipelining.
 */
export class Batch extends pg.Query {
  readonly #statements: readonly Sent[];
  readonly #parserOf: (type: number) => Parser;
  readonly #prepared: Prepared;
  /** Which of the statements is being answered. */
  #place = 0;
  #rows: unknown[] = [];
  #fields: readonly Field[] | undefined;
  /** Given by `client.query`, which ends its timer by it. */
  declare callback: ((error: unknown) => void) | undefined;

  constructor(statements: readonly Sent[], prepared: Prepared, parserOf: (type: number) => Parser) {
    super({ text: '' });
    this.#statements = statements;
    this.#prepared = prepared;
    this.#parserOf = parserOf;
  }

  override submit = (wire: Wire): void => {
    wire.stream.cork();
    for (const { text, name = '', values } of this.#statements) {
      const isPrepared = this.#prepared.has(name);
      if (!isPrepared) {
        // It may be there all the same, from a batch that has failed.
        if (name !== '') wire.close({ type: 'S', name }, true);
        wire.parse({ name, text, types: [] }, true);
      }
      wire.bind({ statement: name, values: values.map(onTheWire) }, true);
      if (!isPrepared) wire.describe({ type: 'P', name: '' }, true);
      wire.execute({}, true);
    }
    wire.sync();
    wire.stream.uncork();
  };

  handleRowDescription({ fields }: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({ name, parse: this.#parserOf(dataTypeID) }));
  }

  handleDataRow({ fields: texts }: { fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {};
    const fields = this.#fields ?? this.#prepared.get(this.#statements[this.#place]?.name ?? '') ?? [];
    let index = 0;
    for (const { name, parse } of fields) {
      const text = texts[index++] ?? null;
      row[name] = text === null ? null : parse(text);
    }
    this.#rows.push(row);
  }

  handleCommandComplete({ text }: { text: string }): void {
    const statement = this.#statements[this.#place++];
    const { name } = statement ?? {};
    if (name !== undefined && !this.#prepared.has(name)) this.#prepared.set(name, this.#fields ?? []);
    const [command = '', ...counts] = text.split(' ');
    const rows = this.#rows;
    this.#rows = [];
    this.#fields = undefined;
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
