/**
 * The data of each event of a stream, in turn (WHATWG HTML, 9.2.6, server-sent events). Comments and other fields are
 * left out, and so is an event that the stream ends in the middle of.
 */
export async function* readEvents(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = '';
  let data: string[] = [];
  for await (const piece of body ?? []) {
    const [first = '', ...more] = decoder.decode(piece, { stream: true }).split('\n');
    line += first;
    for (const next of more) {
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (text === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      } else if (text.startsWith('data:')) data.push(text.slice(text[5] === ' ' ? 6 : 5));
      line = next;
    }
  }
}
