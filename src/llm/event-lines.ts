const lineFeed = 10;
const carriageReturn = 13;
const colon = 58;
/** A piece has at least so many bytes, and ends with a line; a longer line is not cut. */
const pieceBytes = 1_000;

/**
 * An event stream (WHATWG HTML, server-sent events) without what says nothing, and in small pieces: comments, which
 * vendors send to keep a connection open, and blank lines that end no event. The SDKs of Anthropic and OpenAI keep every
 * comment until an event follows, and OpenAI's copies what is left of a piece after each line pair: a minute of
 * computing for 16 MB of short ones.
 */
export function eventLines(): TransformStream<Uint8Array, Uint8Array> {
  let isAtStart = true;
  let isLeftOut = false;
  let hasFields = false;
  /** A line may come in several chunks: its first byte says what it is. */
  const begin = (first: number | undefined) => {
    const isBlank = first === lineFeed || first === carriageReturn;
    isLeftOut = first === colon || (isBlank && !hasFields);
    if (first !== colon) hasFields = !isBlank;
  };
  return new TransformStream({
    transform(chunk, controller) {
      let from = 0;
      const handOn = (end: number, next: number) => {
        if (end > from) controller.enqueue(chunk.subarray(from, end));
        from = next;
      };
      for (let at = 0; at < chunk.length; ) {
        if (isAtStart) begin(chunk[at]);
        const end = chunk.indexOf(lineFeed, at);
        const next = end === -1 ? chunk.length : end + 1;
        if (isLeftOut) handOn(at, next);
        else if (next - from >= pieceBytes) handOn(next, next);
        isAtStart = end !== -1;
        at = next;
      }
      handOn(chunk.length, chunk.length);
    },
  });
}
