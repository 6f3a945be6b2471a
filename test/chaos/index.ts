import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Actor } from './actors/actor.js';
import { boardWorker } from './actors/board-worker.js';
import { goalOwner } from './actors/goal-owner.js';
import { jobGiver } from './actors/job-giver.js';
import { relayAgent } from './actors/relay-agent.js';
import { scheduleOwner } from './actors/schedule-owner.js';
import { toolCaller } from './actors/tool-caller.js';
import { checkBooks } from './books.js';
import { engineNames } from './engine.js';
import { carryOut, planFaults } from './faults.js';
import { showFigures } from './figures.js';
import { Fleet } from './fleet.js';
import { Ledger } from './ledger.js';
import { randomOf } from './random.js';
import { findOrphans, settle } from './settle.js';
import { User } from './user.js';
import { makeWorld } from './world.js';

// npm run chaos -- --seed N --minutes M [--per-second F] [--engine postgres] [--keep]: users work while faults befall the product's
// processes; then the books are checked. Exits with 1 when they are wrong, and keeps the home with the plan of the run.
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    'per-second': { type: 'string', default: '3' },
    engine: { type: 'string', default: 'sqlite' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const minutes = Number(values.minutes);
const engineName = engineNames.find((name) => name === values.engine);
if (engineName === undefined) throw new Error(`--engine is one of ${engineNames.join(', ')}, not ${values.engine}.`);
const faults = planFaults(seed, { minutes, perSecond: Number(values['per-second']) });

const startedAt = performance.now();
const ledger = new Ledger();
const world = await makeWorld(engineName);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void world.close(true).finally(() => process.exit(1)));
}
const fleet = new Fleet(world.home, () => ledger.startMs);
writeFileSync(join(world.home, 'plan.json'), JSON.stringify({ seed, minutes, faults }, undefined, 1));

const newUser = (name: string, isThin = false) =>
  new User({ name, main: world.main, env: world.envOf(name, isThin), ledger });

// The first one makes the database, so that its users can be watched from outside.
const closer = newUser('closer');
while ((await closer.call('runtime_status')).is !== 'done') await sleep(500);
await closer.close();
say('users begin');

const actors: Actor[] = [
  boardWorker(newUser('ada')),
  boardWorker(newUser('bob')),
  boardWorker(newUser('cyd', true)),
  relayAgent(newUser('dan')),
  jobGiver(newUser('eve')),
  jobGiver(newUser('fay', true)),
  goalOwner(newUser('gil')),
  toolCaller(newUser('hal')),
  toolCaller(newUser('ida')),
  scheduleOwner(newUser('jan')),
];
const endsAt = performance.now() + minutes * 60_000;
const looking = look();
const [counts] = await Promise.all([carryOut(faults, fleet), ...actors.map(work)]);
const looks = await looking;

say('the faults are over');
fleet.rightClocks();
await Promise.all(actors.map(({ user }) => user.close()));
say('users are gone');
for (const name of ledger.recurring) await pause(name);
const left = await settle(closer, world, fleet);
say('jobs are settled');
await closer.close();
await world.stopHttp();
const orphans = await findOrphans(fleet);

say('processes are gone');
const problems = [...left, ...orphans, ...(await checkBooks({ ...world, database: await world.toFile() }, ledger))];
const seconds = (performance.now() - startedAt) / 1_000;
console.log(showFigures({ seed, minutes, seconds, counts, ledger, looks, problems }));
const isKept = values.keep || problems.length > 0;
await world.close(isKept);
if (isKept) console.log(`The home is kept, with the plan of the faults in plan.json: ${world.home}`);
process.exitCode = problems.length === 0 ? 0 : 1;

function say(what: string): void {
  console.error(`${Math.round((performance.now() - startedAt) / 1_000)} s: ${what}`);
}

async function work({ act }: Actor, actor: number): Promise<void> {
  for (let number = 0; performance.now() < endsAt; number++) {
    const random = randomOf(seed, 2, actor, number);
    await sleep(random.between(0, 60));
    await act(random, number);
  }
}

/** It would fire for ever. */
async function pause(name: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    if ((await closer.call('schedule', { name, action: 'pause' })).is !== 'unknown') return;
  }
}

/** Looks again and again whether a relay has two open batons; resolves to the number of looks. */
async function look(): Promise<number> {
  const twoBatons = `select pipeline_id as id from relay_batons where status in ('pending', 'in_progress', 'waiting')
    group by pipeline_id having count(*) > 1`;
  let looks = 0;
  for (; performance.now() < endsAt; await sleep(200)) {
    for (const { id } of await world.engine.rows<{ id: string }>(twoBatons))
      ledger.problem(`Relay ${id} has two open batons.`);
    looks++;
  }
  return looks;
}
