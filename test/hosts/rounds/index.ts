import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { postgresBinaries } from '../../support/postgres-server.js';
import { apart, makeHosts, whyNoHosts } from './network.js';
import { runRound } from './round.js';

// npm run hosts -- --rounds N --seed S [--tasks T] [--jobs J] [--workers W] [--short]: three hosts with networks of their
// own work a board on one PostgreSQL server, one is cut off and one is killed; then the books are checked. Exits with 1 when
// they are wrong.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    tasks: { type: 'string', default: '2000' },
    jobs: { type: 'string', default: '500' },
    workers: { type: 'string', default: '16' },
    short: { type: 'boolean', default: false },
    main: { type: 'string', default: join(process.cwd(), 'dist', 'main.js') },
    apart: { type: 'boolean', default: false },
  },
});
const binaries = postgresBinaries();
const why = binaries === undefined ? 'PostgreSQL is not installed' : whyNoHosts();
if (why !== undefined) console.log(`Hosts with networks of their own cannot be made here: ${why}.`);
else if (values.apart) await runRounds(binaries ?? '');
else startApart();

/** The same command again, in a network that goes with it. */
function startApart(): void {
  const [program = '', ...args] = apart(
    process.execPath,
    '.config/run.mjs',
    'test/hosts/rounds/index.ts',
    ...process.argv.slice(2),
    '--apart',
  );
  process.exitCode = spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
}

async function runRounds(programs: string): Promise<void> {
  const [rounds, seed, tasks, jobs, workers] = [
    values.rounds,
    values.seed,
    values.tasks,
    values.jobs,
    values.workers,
  ].map(Number) as [number, number, number, number, number];
  const hosts = makeHosts(['one', 'two', 'three']);
  let wrong = 0;
  for (let round = 0; round < rounds; round++) {
    const options = { seed, round, tasks, jobs, workers, isShort: values.short, main: values.main, hosts };
    const { seconds, cut, killed, refused, repeated, problems } = await runRound({ ...options, binaries: programs });
    const refusals = [...refused].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
    console.log(
      `round ${round}: ${tasks} tasks and ${jobs} jobs in ${Math.round(seconds)} s; ${cut} was cut off, ${killed} killed; ` +
        `refused: ${refusals}; begun again: ${repeated.tasks} tasks, ${repeated.jobs} jobs; ${problems.length} problems`,
    );
    for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
    if (problems.length > 0) wrong++;
  }
  console.log(`${rounds - wrong} of ${rounds} rounds: nothing lost, nothing twice, all done (seed ${seed}).`);
  process.exitCode = wrong === 0 ? 0 : 1;
}
