// A server process that holds a slot and a task until it is killed: `session DATABASE SESSION_ID WORKER`.
import { systemClock } from '../../../src/base/clock.js';
import { createSessions, nameSession } from '../../../src/core/coordination/sessions.js';
import { createSlots } from '../../../src/core/coordination/slots.js';
import { createTaskBoard } from '../../../src/core/tasks/tasks.js';
import { systemProcesses } from '../../../src/runner/identity.js';
import { openAt } from '../../support/open-at.js';

const [file = '', clientSessionId = '', worker = ''] = process.argv.slice(2);
const clock = systemClock();
const processes = systemProcesses(clock.bootId);
const db = await openAt(file, clock.now);
const info = { clientSessionId, project: '' };
const session = nameSession(info);
const sessions = createSessions({ db, clock, processes });
await sessions.begin(session, info);
const slot = await createSlots({ db, clock, processes, limit: 5 }).claim(worker, { ...session, sessionId: session.id });
const task = await createTaskBoard({ db, clock }).claimNext({}, { workerId: worker }, session);
process.stdout.write(`${JSON.stringify({ sessionId: session.id, slot: slot.slot, task: task?.id })}\n`);

process.stdin.resume();
// A clean end, as a server's: when its client closes the pipe.
process.stdin.on('end', () => db.close(sessions.ending(session)));
