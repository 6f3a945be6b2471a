import { z } from 'zod';
import { defineTool } from '../../tools/call/define-tool.js';
import {
  madeBackup,
  purgeCounts,
  requireOwner,
  requireWriter,
  settings,
  showBackup,
  showBrowser,
  showToken,
} from './settings.js';
import { showTarget } from './webhooks.js';

const dayMs = 86_400_000;
const days = z.int().min(0).max(36_500).describe('What ended so many days ago, or earlier.');
const id = z.string().min(1).max(200).describe('Of the token or the browser, as settings has it.');

/** What people see of who may come in, and of the database. */
export const settingsReads = [
  defineTool({
    name: 'settings',
    title: 'Settings',
    effect: 'read',
    description: 'The tokens and browsers, the database with its backups, and how long things are kept.',
    input: z.strictObject({}),
    output: settings,
    handler: async (_, { runtime, rights }) => {
      requireWriter(rights);
      const { access, db, config, eventTargets, maintenance, tasks } = runtime;
      const [tokens, browsers] = await Promise.all([access.list(), access.listBrowsers()]);
      return {
        ...(rights.tokenId === 'owner'
          ? { access: { tokens: tokens.map(showToken), browsers: browsers.map(showBrowser) } }
          : {}),
        database: db.location,
        database_bytes: await db.sizeBytes(),
        retention_days: config.retentionDays,
        tasks: await tasks.count({}),
        webhooks: (await eventTargets.list()).map(showTarget),
        backups: maintenance.backups().map(showBackup),
      };
    },
  }),

  defineTool({
    name: 'purge_preview',
    title: 'What a purge would delete',
    effect: 'read',
    description: 'How many of each kind a purge would delete at most: what open work depends on stays.',
    input: z.strictObject({ days }),
    output: purgeCounts,
    handler: async (input, { runtime, rights }) => {
      requireWriter(rights);
      return runtime.maintenance.purgeable(runtime.clock.now() - input.days * dayMs);
    },
  }),
];

/** What people do about it. A model has no part in who may come in, nor in what is kept. */
export const settingsWrites = [
  defineTool({
    name: 'create_token',
    title: 'Create a token',
    effect: 'write',
    description: 'Creates a token, which can be read this once.',
    input: z.strictObject({
      name: z.string().max(200).describe('What the token is for.'),
      read_only: z.boolean().default(false).describe('It may look at everything and change nothing.'),
      days: z.int().min(1).max(3_650).optional().describe('It ends after so many days; without end unless given.'),
    }),
    output: z.strictObject({ id: z.string(), token: z.string() }),
    handler: async (input, { runtime, rights, actor }) => {
      requireOwner(rights);
      const lifeMs = input.days === undefined ? undefined : input.days * dayMs;
      return runtime.access.create({ name: input.name, isReadOnly: input.read_only, lifeMs }, actor);
    },
  }),

  defineTool({
    name: 'revoke_access',
    title: 'Revoke a token or sign out a browser',
    effect: 'destroy',
    description: 'Revokes a token with its browsers, or signs out one browser.',
    input: z.strictObject({ id }),
    output: z.strictObject({ kind: z.enum(['token', 'browser']), name: z.string() }),
    handler: async (input, { runtime, rights, actor }) => {
      requireOwner(rights);
      const { kind, name } = await runtime.access.revoke(input.id, actor);
      return { kind, name };
    },
  }),

  defineTool({
    name: 'back_up',
    title: 'Make a backup',
    effect: 'write',
    description: 'Writes a copy of the database into the backup directory.',
    input: z.strictObject({}),
    output: madeBackup,
    handler: async (_, { runtime }) => {
      const { path, sizeBytes } = await runtime.maintenance.backup();
      return { path, size_bytes: sizeBytes };
    },
  }),

  defineTool({
    name: 'purge',
    title: 'Delete what ended long ago',
    effect: 'destroy',
    description: 'Deletes what ended so many days ago and nothing open depends on, after a backup.',
    input: z.strictObject({ days }),
    output: purgeCounts.extend({ events: z.int(), backup: z.string() }),
    handler: async (input, { runtime, actor }) => {
      const { path } = await runtime.maintenance.backup(undefined, 'before-purge');
      const counts = await runtime.maintenance.purge(runtime.clock.now() - input.days * dayMs, actor);
      return { ...counts, backup: path };
    },
  }),

  defineTool({
    name: 'clear_board',
    title: 'Delete all tasks',
    effect: 'destroy',
    description: 'Deletes every task of every project and frees all slots, after a backup.',
    input: z.strictObject({ confirm: z.literal(true).describe('true.') }),
    output: z.strictObject({ deleted: z.int(), backup: z.string() }),
    handler: (_, { runtime, actor }) => runtime.maintenance.clearBoard(actor),
  }),
];
