import { testRuntime } from '../support/test-runtime.js';
import { lateClock } from './late-clock.js';
import { type OpenedPage, openPage } from './open-page.js';
import { type SampleIds, sampleAge, sampleEnv, sampleHome } from './sample-home.js';

/** The page over the sample home. The sessions of the sample live as long as the test. */
export async function openSample(path: string): Promise<OpenedPage & { ids: SampleIds }> {
  const clock = lateClock(sampleAge);
  const runtime = await testRuntime({ clock, env: sampleEnv });
  const ids = await sampleHome(runtime, clock);
  return { ...(await openPage(path, {}, { home: runtime.home, env: sampleEnv })), ids };
}
