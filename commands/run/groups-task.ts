// One partition of `vault.audit.groups`: what the detectors of all partitions of events send is counted here, behind the lowest
// of their watermarks, in order of (time, id).

import type { StreamRecord } from '../../core/ports.ts';
import { type Crossing, topics } from '../../core/records.ts';
import { crossesNoMore } from '../../detectors/engine/whole.ts';
import { type DetectorPlace, DetectorTask, type DetectorTaskOptions } from './detector-task.ts';

export class GroupsTask extends DetectorTask {
  private constructor(options: DetectorTaskOptions, place: DetectorPlace | undefined) {
    super(options, { topic: topics.groups, sources: options.stream.partitions }, crossesNoMore, place);
  }

  /** Goes on where the memory was committed. */
  static async load(options: DetectorTaskOptions): Promise<GroupsTask> {
    const place = await DetectorTask.placeIn(options, topics.groups);
    const task = new GroupsTask(options, place);
    await task.resume(place);
    return task;
  }

  protected override record({ kind, value, offset }: StreamRecord): void {
    if (kind === 'crossing') this.detector.crossing(value as Crossing, offset);
    else if (kind === 'watermark') this.advance();
  }

  protected override again({ kind, value, offset }: StreamRecord): void {
    if (kind === 'crossing') this.detector.restoreCrossing(value as Crossing, offset);
  }
}
