import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A message as it arrived. */
export interface Received {
  id: string;
  type: string;
  /** Such as `task:8`. */
  subject: string;
  headers: Record<string, string>;
  body: string;
}

export interface Receiver {
  url: string;
  port: number;
  received: Received[];
  /** Answers each message: 200 unless told. */
  answer: (message: Received, response: ServerResponse) => void | Promise<void>;
  types(): string[];
  /** How many messages were being answered at once, at most. */
  mostAtOnce(): number;
  close(): Promise<void>;
}

/** A receiver of webhooks on loopback; ends with the test. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  let atOnce = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++atOnce);
    response.on('close', () => atOnce--);
    const message = await read(request);
    received.push(message);
    await receiver.answer(message, response);
    if (!response.writableEnded) response.end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${bound}/hook`,
    port: bound,
    received,
    answer: () => {},
    types: () => received.map(({ type }) => type),
    mostAtOnce: () => most,
    close,
  };
  onTestFinished(close);
  return receiver;
}

async function read(request: IncomingMessage): Promise<Received> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces).toString('utf8');
  const { type, data } = JSON.parse(body) as { type: string; data: { subject?: string; subject_id?: string } };
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
  return { id: headers['webhook-id'] ?? '', type, subject: `${data.subject}:${data.subject_id}`, headers, body };
}
