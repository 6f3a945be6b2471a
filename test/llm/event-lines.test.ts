import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventLines } from '../../src/llm/event-lines.js';

async function read(pieces: readonly Uint8Array[]): Promise<string> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  return new Response(stream.pipeThrough(eventLines())).text();
}

it('hands on every line but comments and blank ones that end no event, wherever the body is cut', async () => {
  const line = fc.oneof(
    fc.constantFrom('', '\r', ': ping', ':', 'data: {"a":1}', 'data: : no comment', 'event: é', ' : none', 'data: x\r'),
    fc.integer({ min: 0, max: 3_000 }).map((length) => `data: ${'y'.repeat(length)}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.integer({ min: 1, max: 40 })), async (lines, cuts) => {
      const body = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const pieces: Uint8Array[] = [];
      let from = 0;
      for (const cut of [...cuts, body.length]) {
        if (from < body.length) pieces.push(body.subarray(from, from + cut));
        from += cut;
      }
      let hasFields = false;
      const kept = lines.filter((text) => {
        if (text.startsWith(':')) return false;
        const isBlank = text === '' || text.startsWith('\r');
        const isKept = !isBlank || hasFields;
        hasFields = !isBlank;
        return isKept;
      });
      expect(await read(pieces)).toBe(kept.map((text) => `${text}\n`).join(''));
    }),
  );
});
