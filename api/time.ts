// Bounds that hold every event time, for questions without a period.

export const allTime = { from: '0000-01-01T00:00:00.000000000Z', to: '9999-12-31T23:59:59.999999999Z' };
