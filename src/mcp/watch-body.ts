/** How the body of an answer ended: it was read to its end, it broke off, or its reader left. */
export type BodyEnd = 'read' | 'broken' | 'dropped';

/** The same answer; `onEnd` is called once when its body ends, at once where it has none. */
export function watchBody(response: Response, onEnd: (how: BodyEnd) => void): Response {
  if (!response.body) {
    onEnd('read');
    return response;
  }
  const reader = response.body.getReader();
  let hasEnded = false;
  const end = (how: BodyEnd) => {
    if (!hasEnded) onEnd(how);
    hasEnded = true;
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        end('read');
      } catch (error) {
        controller.error(error);
        end('broken');
      }
    },
    async cancel(reason) {
      end('dropped');
      await reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
