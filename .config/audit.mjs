// Looks for known advisories of all packages in the lock file: what is bundled is listed among the devDependencies.
// One of high or critical severity fails. A registry that does not answer is said in one line, and is no failure.
import { spawnSync } from 'node:child_process';

const { stdout, error } = spawnSync('npm', ['audit', '--json', '--audit-level=high'], {
  encoding: 'utf8',
  timeout: 120_000,
  maxBuffer: 64 * 1024 * 1024,
});
const report = read(stdout);
if (!report?.metadata?.vulnerabilities) {
  console.log(
    `advisories: not looked up, the registry gives none (${error?.message ?? report?.message ?? 'no answer'})`,
  );
} else {
  const serious = Object.values(report.vulnerabilities ?? {}).filter(({ severity }) =>
    /^(high|critical)$/.test(severity),
  );
  for (const { name, severity, via } of serious) {
    const titles = via.map((cause) =>
      typeof cause === 'string' ? `through ${cause}` : `${cause.title} ${cause.url ?? ''}`,
    );
    console.error(`advisories: ${name}, ${severity}: ${titles.join('; ')}`);
  }
  if (serious.length === 0) console.log('advisories: none of high or critical severity');
  else process.exitCode = 1;
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
