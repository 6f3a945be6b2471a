import type { Acknowledged, NeedKind } from '../../http/page/attention.js';
import { write } from '../api.js';
import { act, notice } from '../ui/notices.js';
import { needWords } from './need-words.js';

/** What is read is marked as read; what stays as it is is dismissed. */
export const isToRead = (kind: NeedKind): boolean => kind === 'message' || kind === 'unread_answer';

/** Takes note of needs of a kind, of all of them unless it is said which, and says so with a way back. */
export function acknowledge(kind: NeedKind, wanted?: readonly string[]): Promise<boolean> {
  return act(async () => {
    const { ids } = await write<Acknowledged>('page/acknowledge', { kind, ...(wanted ? { ids: wanted } : {}) });
    const words = ids.length === 1 ? needWords[kind].one : `${ids.length} ${needWords[kind].many.toLowerCase()}`;
    notice({
      text: `${words} ${isToRead(kind) ? 'marked as read' : 'dismissed'}.`,
      ...(ids.length === 0 ? {} : { undo: () => write('page/unacknowledge', { kind, ids }) }),
    });
  }, undefined);
}
