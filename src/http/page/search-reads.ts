import { z } from 'zod';
import { foundKinds, mostCounted, search } from '../../core/overview/search.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { showNames } from './names.js';
import { searchResult, showGroup } from './search.js';

export const searchReads = [
  defineTool({
    name: 'search',
    title: 'Search over everything',
    effect: 'read',
    description: 'Tasks, goals, jobs, relays, messages and breakers with all words of a text, newest first.',
    input: z.strictObject({
      query: z.string().max(200).describe('Words in any order; #8 is the task with that number.'),
      kind: z.enum(foundKinds).optional().describe('Only of this kind.'),
      limit: z.int().min(1).max(200).default(10).describe('At most this many of each kind; 10 unless given.'),
    }),
    output: searchResult,
    handler: async ({ query, kind, limit }, { runtime: { db } }) => {
      const results = await search(db, query, limit, kind === undefined ? foundKinds : [kind]);
      const groups = results.map((result) => showGroup(result, mostCounted));
      const named = await showNames(
        db,
        groups.flatMap(({ found }) => found.map(({ of }) => of)),
      );
      return { groups, ...named };
    },
  }),
];
