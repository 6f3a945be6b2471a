import type { ShownSpan } from '../../http/page/timeline.js';

/** The address of what a span is; a step has none of its own. */
export const linkOf = ({ kind, id }: ShownSpan): string | undefined =>
  kind === 'task' ? `/board/task/${id}` : kind === 'job' ? `/jobs/${encodeURIComponent(id)}` : undefined;
