// Learning time: how long a subject is known, and on how many days it was there.

import type { Observation, Turn } from './behaviour.ts';

/** Days since 1970. A JSON value. */
export type Age = { since: number; days: number; last: number };

/** The age after a call of `day` that may teach. */
export function aged(age: Age | undefined, day: number): Age {
  if (age === undefined) return { since: day, days: 1, last: day };
  if (day <= age.last) return age;
  return { since: age.since, days: age.days + 1, last: day };
}

/** What a behaviour wants to have seen before it speaks; `learningDays` and `learningActiveDays` of the lists change it. */
export interface Lesson {
  behaviour: string;
  days: number;
  activeDays: number;
}

/** Whether `age` is too young: nothing fires. */
export function isLearning(
  age: Age | undefined,
  day: number,
  lesson: Lesson,
  { className }: Pick<Observation, 'className'>,
  { lists }: Pick<Turn, 'lists'>,
): boolean {
  if (age === undefined) return true;
  const days = lists.setting(lesson.behaviour, 'learningDays', className, lesson.days);
  const active = lists.setting(lesson.behaviour, 'learningActiveDays', className, lesson.activeDays);
  return day - age.since < days || age.days < active;
}
