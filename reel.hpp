// All public headers of reel.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/autodiff/error.hpp>
#include <reel/autodiff/random.hpp>
#include <reel/autodiff/real.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/shape.hpp>
