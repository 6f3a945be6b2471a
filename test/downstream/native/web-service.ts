import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../support/paths.js';

export interface Received {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

export type Reply = (response: ServerResponse, received: Received) => void;

export interface WebService {
  origin: string;
  received: Received[];
  /** The greatest number of requests that were open at once. */
  mostOpen: number;
  /** Sets the answers from now on: one after the other, the last one again and again. */
  answer(...replies: Reply[]): void;
}

export const body = (name: string) => readFileSync(join(projectRoot, 'test/fixtures/native', name), 'utf8');

export const replyWith =
  (status: number, text: string, headers: Record<string, string> = {}): Reply =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);

/** A local web service that answers with saved bodies and records the requests; closed after the test. */
export async function webService(...first: Reply[]): Promise<WebService> {
  let replies = first;
  let open = 0;
  const service: WebService = {
    origin: '',
    received: [],
    mostOpen: 0,
    answer(...next) {
      replies = next;
    },
  };
  const server = createServer((request, response) => {
    open++;
    service.mostOpen = Math.max(service.mostOpen, open);
    response.on('close', () => open--);
    let text = '';
    request.on('data', (data: Buffer) => {
      text += data;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const received = { method, url: new URL(url, service.origin), headers, body: text, at: performance.now() };
      service.received.push(received);
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      reply?.(response, received);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  service.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return service;
}
