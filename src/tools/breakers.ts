import { z } from 'zod';
import { failureTypes } from '../core/breakers/machine.js';
import { defineTool } from './call/define-tool.js';
import { cursor, fields, iso, limit } from './call/fields.js';
import { rowsFor, toPage } from './call/page.js';
import {
  breakerOutput,
  briefBreaker,
  eventOutput,
  failureOutput,
  showBreaker,
  showBreakerEvent,
  showBriefBreaker,
  showFailure,
  showState,
  stateWord,
  toSeconds,
} from './shapes/breaker.js';
import { configInput, configOutput, seconds, showConfig, toChanges } from './shapes/breaker-config.js';

const agentId = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .describe(
    'Whose breaker: an agent such as researcher, a provider such as llm:anthropic, or a job type such as job:backtest.',
  );
const permit = z
  .string()
  .min(1)
  .max(400)
  .optional()
  .describe('The permit of circuit_breaker_acquire, if it gave one: counts once.');

/** Ids of breakers named beside a page of them, so that no answer is too long. */
const mostNamed = 80;

/** Breakers: who is healthy enough to be given work. All sessions and background runners share them. */
export const breakerTools = [
  defineTool({
    name: 'circuit_breaker_status',
    title: 'Read a breaker',
    effect: 'read',
    description:
      "An agent's breaker whole: its state (CLOSED lets calls through, OPEN refuses them, HALF_OPEN lets a few probes " +
      'through), why, its counts and rules, and its last failures. To ask before a call use circuit_breaker_acquire.',
    input: z.strictObject({ agent_id: agentId }),
    output: z.object({ ...breakerOutput.shape, recent_failures: z.array(failureOutput) }),
    handler: async ({ agent_id }, { runtime }) => {
      const [breaker, failures] = await Promise.all([
        runtime.breakers.get(agent_id),
        runtime.breakers.failures(agent_id),
      ]);
      const recent_failures = failures.map((failure) => showFailure(agent_id, failure));
      return { ...showBreaker(breaker, runtime.clock.now()), recent_failures };
    },
  }),

  defineTool({
    name: 'circuit_breaker_list',
    title: 'List breakers',
    effect: 'read',
    description:
      'All breakers that were ever used, by agent, and which of them are OPEN or HALF_OPEN. Next: circuit_breaker_status ' +
      'for the failures of one.',
    input: z.strictObject({ fields, limit: limit(20), cursor }),
    output: z.object({
      total_breakers: z.int(),
      open_circuits: z.array(z.string()),
      half_open_circuits: z.array(z.string()),
      breakers: z.record(z.string(), z.union([breakerOutput, briefBreaker])),
      next_cursor: z.string().optional(),
    }),
    handler: async (input, { runtime }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const [tripped, breakers, total] = await Promise.all([
        runtime.breakers.tripped(mostNamed),
        runtime.breakers.list({ afterId: input.cursor, limit: rowsFor(wishes) }),
        runtime.breakers.count(),
      ]);
      const now = runtime.clock.now();
      const show = input.fields === 'full' ? showBreaker : showBriefBreaker;
      const { items, ...rest } = toPage(
        breakers,
        wishes,
        (breaker) => [breaker.id, show(breaker, now)] as const,
        (breaker) => breaker.id,
      );
      return {
        total_breakers: total,
        open_circuits: tripped.filter(({ state }) => state === 'open').map(({ id }) => id),
        half_open_circuits: tripped.filter(({ state }) => state === 'half_open').map(({ id }) => id),
        breakers: Object.fromEntries(items),
        ...rest,
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_acquire',
    title: 'Ask a breaker before a call',
    effect: 'write',
    description:
      'Asks whether an agent may be given work now. allowed: do it, then report with circuit_breaker_record_success or ' +
      '_record_failure, with the permit if there is one (a probe). Not allowed but fallback_agent: that one may do it ' +
      'instead, its own breaker has agreed; report under its id, with the permit. Neither: wait retry_after_seconds.',
    input: z.strictObject({
      agent_id: agentId,
      call_seconds: seconds(
        1,
        'How long the work may take: a probe not reported on by then is free again. 600 unless given.',
      ),
    }),
    output: z.object({
      agent_id: z.string(),
      allowed: z.boolean().describe('Whether agent_id itself may work.'),
      state: stateWord,
      permit: z.string().optional().describe('Of agent_id when it is allowed, else of fallback_agent.'),
      fallback_agent: z.string().optional(),
      asked: z.array(z.string()).optional().describe('Whose breakers were asked, in order, when it was more than one.'),
      retry_after_seconds: z.int().optional().describe('Absent while only circuit_breaker_reset will help.'),
    }),
    handler: async ({ agent_id, call_seconds = 600 }, { runtime, actor }) => {
      const wish = { holder: actor.holder ?? undefined, callMs: call_seconds * 1000 };
      const { agent, permit, path, own } = await runtime.breakers.choose(agent_id, wish);
      return {
        agent_id,
        allowed: own.allowed,
        state: showState(own.state),
        permit,
        fallback_agent: own.allowed ? undefined : agent,
        asked: path.length > 1 ? path.map((asked) => asked.agent) : undefined,
        retry_after_seconds: own.retryAfterMs === undefined ? undefined : toSeconds(own.retryAfterMs),
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_record_success',
    title: 'Record a success',
    effect: 'write',
    description:
      'Tells the breaker that a call of the agent has succeeded: makes up for its oldest failure, and closes a HALF_OPEN ' +
      'breaker once enough probes have succeeded. Calls of models, and jobs of a guarded type, are recorded by themselves.',
    input: z.strictObject({ agent_id: agentId, permit }),
    output: z.object({
      success: z.literal(true),
      agent_id: z.string(),
      success_recorded: z.literal(true),
      old_state: stateWord,
      new_state: stateWord,
      recovered: z.boolean(),
    }),
    handler: async (input, { runtime, actor }) => {
      const how = { actor, isPermitRequired: true };
      const { from, to } = await runtime.breakers.recordSuccess(input.agent_id, input.permit, how);
      return {
        success: true as const,
        agent_id: input.agent_id,
        success_recorded: true as const,
        old_state: showState(from),
        new_state: showState(to),
        recovered: from !== 'closed' && to === 'closed',
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_record_failure',
    title: 'Record a failure',
    effect: 'write',
    description:
      'Tells the breaker that a call of the agent has failed: enough failures within its window open it, and one of a ' +
      'probe opens it again. Next when tripped: circuit_breaker_acquire names who may work instead.',
    input: z.strictObject({
      agent_id: agentId,
      failure_type: z.enum(failureTypes).describe('What went wrong.'),
      error_message: z.string().max(10_000).describe('In what words; shown by circuit_breaker_status.'),
      permit,
      retry_after_seconds: seconds(
        0,
        'With rate_limited: how long it asked to be left alone. The breaker, if it is open, stays so at least as long.',
      ),
    }),
    output: z.object({
      success: z.literal(true),
      agent_id: z.string(),
      failure_recorded: z.literal(true),
      old_state: stateWord,
      new_state: stateWord,
      tripped: z.boolean(),
    }),
    handler: async (input, { runtime, actor }) => {
      const failure = { type: input.failure_type, message: input.error_message };
      const retryAfterMs = (input.retry_after_seconds ?? 0) * 1000;
      const end = { permit: input.permit, isPermitRequired: true, retryAfterMs, actor };
      const { from, to } = await runtime.breakers.recordFailure(input.agent_id, failure, end);
      return {
        success: true as const,
        agent_id: input.agent_id,
        failure_recorded: true as const,
        old_state: showState(from),
        new_state: showState(to),
        tripped: from !== 'open' && to === 'open',
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_trip',
    title: 'Open a breaker by hand',
    effect: 'write',
    description:
      'Keeps work from an agent, a provider or a job type: its breaker is OPEN for its cooldown, or with hold until ' +
      'circuit_breaker_reset. What is under way goes on.',
    input: z.strictObject({
      agent_id: agentId,
      reason: z
        .string()
        .min(1)
        .max(1_000)
        .optional()
        .describe('Why, for those who find it open; manual intervention unless given.'),
      hold: z.boolean().optional().describe('true: stays open until it is reset by hand, however long that is.'),
    }),
    output: z.object({
      success: z.literal(true),
      agent_id: z.string(),
      action: z.literal('trip'),
      old_state: stateWord,
      new_state: stateWord,
      reason: z.string(),
      cooldown_until: z.string().nullable().describe('null when it is held.'),
      held: z.boolean().optional(),
    }),
    handler: async ({ agent_id, reason = 'manual intervention', hold }, { runtime, actor }) => {
      const { from, to, cooldownUntil, isHeld } = await runtime.breakers.trip(
        agent_id,
        { reason, mustHold: hold },
        actor,
      );
      return {
        success: true as const,
        agent_id,
        action: 'trip' as const,
        old_state: showState(from),
        new_state: showState(to),
        reason,
        cooldown_until: iso(cooldownUntil),
        held: isHeld ? true : undefined,
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_reset',
    title: 'Close a breaker by hand',
    effect: 'write',
    isIdempotent: true,
    description:
      'Lets work through to the agent again at once, with a clean record: for when the cause is mended, or after a trip ' +
      'with hold. Its totals and its history stay.',
    input: z.strictObject({ agent_id: agentId }),
    output: z.object({
      success: z.literal(true),
      agent_id: z.string(),
      action: z.literal('reset'),
      old_state: stateWord,
      new_state: stateWord,
    }),
    handler: async ({ agent_id }, { runtime, actor }) => {
      const { from, to } = await runtime.breakers.reset(agent_id, actor);
      return {
        success: true as const,
        agent_id,
        action: 'reset' as const,
        old_state: showState(from),
        new_state: showState(to),
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_configure',
    title: 'Set the rules of a breaker',
    effect: 'write',
    isIdempotent: true,
    description:
      'Changes the rules that you give and no others. By default 5 failures within 60 s open a breaker for 300 s, then 3 ' +
      'probes may go at once and 2 successes close it. Configuring job:TYPE has all jobs of that type guarded by it.',
    input: z.strictObject({
      agent_id: agentId,
      ...configInput.shape,
    }),
    output: z.object({ success: z.literal(true), agent_id: z.string(), config: configOutput }),
    handler: async ({ agent_id, ...given }, { runtime, actor }) => {
      const config = await runtime.breakers.configure(agent_id, toChanges(given), actor);
      return { success: true as const, agent_id, config: showConfig(config) };
    },
  }),

  defineTool({
    name: 'circuit_breaker_events',
    title: 'See what happened to a breaker',
    effect: 'read',
    description: 'When and why a breaker opened, half opened, closed, was tripped, reset or configured, newest first.',
    input: z.strictObject({ agent_id: agentId, limit: limit(20) }),
    output: z.object({ agent_id: z.string(), event_count: z.int(), events: z.array(eventOutput) }),
    handler: async (input, { runtime }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const events = await runtime.breakers.events(input.agent_id, input.limit ?? 20);
      const { items } = toPage(events, wishes, showBreakerEvent, (event) => event.id);
      return { agent_id: input.agent_id, event_count: items.length, events: items };
    },
  }),
];
