import { useEffect, useState } from 'preact/hooks';
import type { WholeJob } from '../../../http/page/jobs.js';
import { bytes } from '../../ui/format.js';
import { Folded, Passage } from '../../ui/passage.js';

type Artifact = WholeJob['artifacts'][number];

const pictures = /\.(png|jpe?g|gif|webp|svg)$/i;
const texts = /\.(txt|md|csv|tsv|json|jsonl|log|xml|ya?ml|toml|html?|css|[cm]?[jt]sx?|py|sh|sql|diff|patch)$/i;
const largestPicture = 20_000_000;
const largestText = 4_000_000;

/** The files that a job has saved: pictures and texts are shown, all can be downloaded. */
export function Artifacts({ job }: { job: WholeJob }) {
  if (job.artifacts.length === 0) return null;
  return (
    <section>
      <h3>Files</h3>
      <ul class="artifacts">
        {job.artifacts.map((artifact) => (
          <li key={artifact.name}>
            <File jobId={job.id} artifact={artifact} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function File({ jobId, artifact: { name, path, size_bytes, sha256 } }: { jobId: string; artifact: Artifact }) {
  const address = `/api/artifacts/${encodeURIComponent(jobId)}/${encodeURIComponent(name)}`;
  const version = sha256.slice(0, 12);
  return (
    <>
      <div class="facts">
        <strong>{name}</strong>
        <span class="fact">{bytes(size_bytes)}</span>
        <a href={address} download={name}>
          Download
        </a>
      </div>
      {pictures.test(name) && size_bytes <= largestPicture && (
        <img class="picture" src={`${address}?shown&v=${version}`} alt={name} loading="lazy" />
      )}
      {texts.test(name) && size_bytes <= largestText && (
        <Folded title="Show">{() => <FileText key={sha256} address={`${address}?v=${version}`} name={name} />}</Folded>
      )}
      <Folded title="Where it is">
        {() => (
          <>
            <div class="path">{path}</div>
            <div class="path quiet">sha256 {sha256}</div>
          </>
        )}
      </Folded>
    </>
  );
}

function FileText({ address, name }: { address: string; name: string }) {
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    fetch(address, { signal: abort.signal })
      .then(async (response) => {
        const body = await response.text();
        if (response.ok) setText(body);
        else setProblem(JSON.parse(body).error?.message ?? `HTTP ${response.status}`);
      })
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setProblem(`${name} cannot be read: ${error}`);
      });
    return () => abort.abort();
  }, [address]);
  if (problem) return <p class="problem">{problem}</p>;
  if (text === undefined) return <p class="quiet">Reading…</p>;
  return <Passage text={text} kind={kindOf(name)} name={name.replace(/\.\w+$/, '')} />;
}

function kindOf(name: string) {
  if (/\.md$/i.test(name)) return 'markdown';
  return /\.(diff|patch)$/i.test(name) ? 'patch' : 'console';
}
