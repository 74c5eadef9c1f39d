/** The paper of the method, as reports cite it. */
export const citation =
  'Xie Y, Zhang J, Xia Y, Wu Q. UniMiSS: Universal Medical Self-Supervised Learning via Breaking Dimensionality Barrier. ECCV 2022.';
