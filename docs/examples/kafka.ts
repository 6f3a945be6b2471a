// A sink that produces every event to a topic of Kafka. In the config file:
//   "sinks": { "kafka": { "module": "./kafka.ts", "env": ["KAFKA_BROKERS"] } }
// Beside it: npm install kafkajs agent-runtime-mcp
import { defineSink } from 'agent-runtime-mcp';
import { Kafka, logLevel } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
const kafka = new Kafka({ clientId: 'agent-runtime', brokers, logLevel: logLevel.NOTHING });
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
let connecting: Promise<void> | undefined;

export default defineSink({
  batchSize: 500,
  async write(events, { name }) {
    connecting ??= producer.connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    await connecting;
    await producer.send({
      topic: `agent-runtime-${name}`,
      acks: -1,
      messages: events.map((event) => ({
        // One partition for what it is about, so that its events stay in order.
        key: `${event.subject}:${event.subject_id}`,
        value: JSON.stringify(event),
        // The same each time it comes: readers skip what they have seen.
        headers: { event: String(event.id), kind: `${event.subject}.${event.type}` },
      })),
    });
  },
  async close() {
    await producer.disconnect();
  },
});
