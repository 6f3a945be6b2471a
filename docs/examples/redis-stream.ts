// A sink that appends every event to a Redis stream. In the config file:
//   "sinks": { "redis": { "module": "./redis-stream.ts", "env": ["REDIS_URL"] } }
// Beside it: npm install ioredis agent-runtime-mcp
import { defineSink } from 'agent-runtime-mcp';
import { Redis } from 'ioredis';

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', {
  // While the server is away a batch fails soon, and comes again.
  maxRetriesPerRequest: 1,
  commandTimeout: 10_000,
});
// Said of the command as well; without a listener it would be printed.
redis.on('error', () => {});

export default defineSink({
  batchSize: 200,
  async write(events, { name }) {
    const batch = redis.multi();
    for (const event of events) {
      batch.xadd(
        `agent-runtime:${name}`,
        'MAXLEN',
        '~',
        1_000_000,
        '*',
        // The same each time it comes: readers skip what they have seen.
        'event',
        event.id,
        'kind',
        `${event.subject}.${event.type}`,
        'subject',
        `${event.subject}:${event.subject_id}`,
        'json',
        JSON.stringify(event),
      );
    }
    for (const [error] of (await batch.exec()) ?? []) if (error) throw error;
  },
  async close() {
    await redis.quit();
  },
});
