// /metrics: what all threads have counted, as Prometheus reads it.

import { Counter, Gauge, Registry } from 'prom-client';
import { type Metrics, nameAndLabels } from '../../core/telemetry.ts';

export class MetricsPage {
  private readonly registry = new Registry();

  /** Others count; here the numbers are only shown. What they no longer report is gone. */
  show(metrics: Metrics): void {
    const registers = [this.registry];
    this.registry.resetMetrics();
    for (const [metric, value] of Object.entries(metrics)) {
      const { name, labels } = nameAndLabels(metric);
      const options = { name, help: name.replaceAll('_', ' '), labelNames: Object.keys(labels), registers };
      const found = this.registry.getSingleMetric(name);
      if (name.endsWith('_total'))
        ((found as Counter | undefined) ?? new Counter(options)).inc(labels, value);
      else ((found as Gauge | undefined) ?? new Gauge(options)).set(labels, value);
    }
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
