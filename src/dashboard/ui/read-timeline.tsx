import type { ShownTimeline } from '../../http/page/timeline.js';
import { usePlace } from '../location.js';
import { useRead } from '../use-read.js';
import { rangeIn } from './range.js';
import { linkOf } from './span-link.js';
import { Timeline } from './timeline.js';

interface ReadTimelineProps {
  title: string;
  /** Of what. */
  of: { goal_id: number } | { pipeline_id: string };
  subjects: readonly string[];
}

/** The timeline of a goal or a relay; nothing until somebody has worked on it. */
export function ReadTimeline({ title, of, subjects }: ReadTimelineProps) {
  const { data } = useRead<ShownTimeline>('page/timeline', of, { subjects });
  const { query } = usePlace();
  if (!data || data.spans.length === 0) return null;
  return (
    <Timeline
      title={title}
      spans={data.spans.map((span) => ({ ...span, link: linkOf(span) }))}
      range={rangeIn(query)}
      isCut={data.cut}
    />
  );
}
