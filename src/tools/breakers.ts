import { z } from 'zod';
import { failureTypes } from '../core/breakers/machine.js';
import { standardSpelling } from '../core/relay/standard-agents.js';
import { defineTool } from './call/define-tool.js';
import { cursor, fields, iso, limit, mark, whenTrue } from './call/fields.js';
import { firstThatFit, pagedList } from './call/page.js';
import {
  breakerConfigOutput,
  breakerEventsOutput,
  breakerListOutput,
  breakerStatusOutput,
  configInput,
  seconds,
  showBreaker,
  showBreakerBriefly,
  showBreakerEvent,
  showConfig,
  showFailure,
  showState,
  stateWord,
  toChanges,
  toSeconds,
} from './shapes/breaker.js';

const agentId = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .overwrite(standardSpelling)
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

/** Circuit breakers: which agents are healthy enough to be given work. All sessions and background runners share them. */
export const breakerTools = [
  defineTool({
    name: 'circuit_breaker_status',
    title: 'Get breaker status',
    effect: 'read',
    description:
      "Returns an agent's breaker: its state (CLOSED lets calls through, OPEN refuses them, HALF_OPEN lets probes through), why, its rules and last failures.",
    input: z.strictObject({ agent_id: agentId }),
    output: breakerStatusOutput,
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
    description: 'Lists all breakers, and names those that are OPEN or HALF_OPEN.',
    input: z.strictObject({ fields, limit: limit(20), cursor }),
    output: breakerListOutput,
    handler: async (input, { runtime }) => {
      const [tripped, total] = await Promise.all([runtime.breakers.tripped(mostNamed), runtime.breakers.count()]);
      const show = input.fields === 'full' ? showBreaker : showBreakerBriefly;
      const {
        breakers,
        count: _,
        total: _total,
        ...page
      } = await pagedList('breakers', input, {
        byDefault: 20,
        read: (limit) => runtime.breakers.list({ afterId: input.cursor, limit }),
        total: async () => total,
        show: (breaker) => [breaker.id, show(breaker, runtime.clock.now())] as const,
        placeOf: ({ id }) => id,
      });
      return {
        total_breakers: total,
        open_circuits: tripped.filter(({ state }) => state === 'open').map(({ id }) => id),
        half_open_circuits: tripped.filter(({ state }) => state === 'half_open').map(({ id }) => id),
        breakers: Object.fromEntries(breakers),
        ...page,
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_acquire',
    title: 'Acquire a breaker permit',
    effect: 'write',
    description:
      'Asks whether an agent may be given work now. If allowed, or with fallback_agent, do it and report with circuit_breaker_record_success or _failure and the permit, if any. Else wait retry_after_seconds.',
    input: z.strictObject({
      agent_id: agentId,
      call_seconds: seconds(1, 'How long the work may take at most; 600 unless given.'),
    }),
    output: z.strictObject({
      agent_id: z.string(),
      /** Whether agent_id itself may work. */
      allowed: z.boolean(),
      state: stateWord,
      /** Of agent_id when it is allowed, else of fallback_agent. */
      permit: z.string().optional(),
      fallback_agent: z.string().optional(),
      /** The agents whose breakers were asked, in order, when it was more than one. */
      asked: z.array(z.string()).optional(),
      /** Absent while only circuit_breaker_reset will help. */
      retry_after_seconds: z.int().optional(),
    }),
    handler: async ({ agent_id, call_seconds = 600 }, { runtime, actor }) => {
      const call = { holder: actor.holder ?? undefined, callMs: call_seconds * 1000 };
      const { agent, permit, path, own } = await runtime.breakers.choose(agent_id, call);
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
    description: 'Records that a call of the agent has succeeded; enough probes close a HALF_OPEN breaker.',
    input: z.strictObject({ agent_id: agentId, permit }),
    output: z.strictObject({
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
      if (from !== to) await runtime.jobs.fill(actor);
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
    description: 'Records that a call of the agent has failed; enough failures open its breaker.',
    input: z.strictObject({
      agent_id: agentId,
      failure_type: z.enum(failureTypes).describe('What went wrong.'),
      error_message: z.string().max(10_000).describe('The error; shown by circuit_breaker_status.'),
      permit,
      retry_after_seconds: seconds(0, 'With rate_limited: how long the provider asked to wait.'),
    }),
    output: z.strictObject({
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
    title: 'Trip a breaker',
    effect: 'write',
    description: 'Opens a breaker by hand: for its cooldown, or with hold until circuit_breaker_reset.',
    input: z.strictObject({
      agent_id: agentId,
      reason: z
        .string()
        .min(1)
        .max(1_000)
        .optional()
        .describe('Why, shown to callers while it is open; manual intervention unless given.'),
      hold: z.boolean().optional().describe('true: it stays open until it is reset by hand.'),
    }),
    output: z.strictObject({
      success: z.literal(true),
      agent_id: z.string(),
      action: z.literal('trip'),
      old_state: stateWord,
      new_state: stateWord,
      reason: z.string(),
      /** null when it is held. */
      cooldown_until: z.string().nullable(),
      held: mark,
    }),
    handler: async ({ agent_id, reason = 'manual intervention', hold }, { runtime, actor }) => {
      const trip = { reason, mustHold: hold };
      const { from, to, cooldownUntil, isHeld } = await runtime.breakers.trip(agent_id, trip, actor);
      return {
        success: true as const,
        agent_id,
        action: 'trip' as const,
        old_state: showState(from),
        new_state: showState(to),
        reason,
        cooldown_until: iso(cooldownUntil),
        held: whenTrue(isHeld),
      };
    },
  }),

  defineTool({
    name: 'circuit_breaker_reset',
    title: 'Reset a breaker',
    effect: 'write',
    isIdempotent: true,
    description: 'Closes a breaker at once, with a clean record: use it when the cause is fixed.',
    input: z.strictObject({ agent_id: agentId }),
    output: z.strictObject({
      success: z.literal(true),
      agent_id: z.string(),
      action: z.literal('reset'),
      old_state: stateWord,
      new_state: stateWord,
    }),
    handler: async ({ agent_id }, { runtime, actor }) => {
      const { from, to } = await runtime.breakers.reset(agent_id, actor);
      await runtime.jobs.fill(actor);
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
    title: 'Configure a breaker',
    effect: 'write',
    isIdempotent: true,
    description:
      'Changes the rules of a breaker that you give: by default 5 failures in 60 s open it for 300 s. job:TYPE guards all jobs of a type.',
    input: z.strictObject({
      agent_id: agentId,
      ...configInput.shape,
    }),
    output: z.strictObject({ success: z.literal(true), agent_id: z.string(), config: breakerConfigOutput }),
    handler: async ({ agent_id, ...given }, { runtime, actor }) => {
      const config = await runtime.breakers.configure(agent_id, toChanges(given), actor);
      return { success: true as const, agent_id, config: showConfig(config) };
    },
  }),

  defineTool({
    name: 'circuit_breaker_events',
    title: 'Get breaker events',
    effect: 'read',
    description: 'Lists when and why a breaker changed, newest first.',
    input: z.strictObject({ agent_id: agentId, limit: limit(20) }),
    output: breakerEventsOutput,
    handler: async (input, { runtime }) => {
      const events = await runtime.breakers.events(input.agent_id, input.limit ?? 20);
      const { items } = firstThatFit(events, { limit: input.limit, byDefault: 20 }, showBreakerEvent);
      return { agent_id: input.agent_id, event_count: items.length, events: items };
    },
  }),
];
