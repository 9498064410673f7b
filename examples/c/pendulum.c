/* A controller for Gymnasium's Pendulum-v1 in C: the exported policy in a loop with the pendulum itself.

   python -m ddpg.export --checkpoint runs/mine --out policy.onnx
   emx-onnx-cgen compile --large-weight-threshold 0 --model-name policy policy.onnx policy.c
   cc -O2 -o pendulum examples/c/pendulum.c policy.c -lm
   ./pendulum 3.0 0.5                       # the angle and the speed to start with */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void policy(int batch, const float state[restrict batch][3], float action[restrict batch][1]); /* in policy.c */

int main(int argc, char **argv) {
    double angle = argc > 1 ? atof(argv[1]) : M_PI, speed = argc > 2 ? atof(argv[2]) : 0.0, total = 0.0;
    for (int step = 0; step < 200; step++) {
        float state[1][3] = {{cosf(angle), sinf(angle), speed}}, torque[1][1];
        policy(1, state, torque);
        double off = remainder(angle, 2 * M_PI); /* from upright, in [-pi, pi] */
        total -= off * off + 0.1 * speed * speed + 0.001 * torque[0][0] * torque[0][0];
        speed = fmin(fmax(speed + (15.0 * sin(angle) + 3.0 * torque[0][0]) * 0.05, -8.0), 8.0);
        angle += speed * 0.05;
        printf("%.9g\n", torque[0][0]);
    }
    fprintf(stderr, "return %.6f\n", total);
    return 0;
}
