// What the organisation holds its credentials against: set in `posture` of the configuration.

export interface PostureSettings {
  /** Longest lifetime of a lease and of a token, seconds. */
  leaseSeconds: number;
  tokenSeconds: number;
  /** A token made by a token is static past this age, seconds. */
  staticTokenSeconds: number;
  /** A secret that was not rotated for this long is overdue, seconds. */
  rotationSeconds: number;
}
