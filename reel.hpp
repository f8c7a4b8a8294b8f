// All public headers of reel.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/autodiff/error.hpp>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/parameter.hpp>
#include <reel/autodiff/pointwise.hpp>
#include <reel/autodiff/pool.hpp>
#include <reel/autodiff/random.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/autodiff/var.hpp>
